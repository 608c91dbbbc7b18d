// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/demultiplexer.hpp"

#include "freshet/base/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::engine {
namespace {

// Numbers of the streams; 0 is the echo of standard input and comes with the output.
constexpr unsigned char k_standard_error = 2;
constexpr unsigned char k_engine_error = 3;
constexpr std::size_t k_max_engine_error = 4096;

}  // namespace

void Demultiplexer::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      header_.at(header_size_++) = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      if (header_size_ == header_.size()) {
        begin_frame();
      }
      continue;
    }
    const std::string_view piece = bytes.substr(0, left_);
    left_ -= piece.size();
    bytes.remove_prefix(piece.size());
    emit(piece);
  }
}

void Demultiplexer::begin_frame() {
  header_size_ = 0;
  if (header_[0] > k_engine_error || header_[1] != 0 || header_[2] != 0 || header_[3] != 0) {
    throw Error(ErrorCode::corrupt_data, "the container's output came in an unknown format")
        .with_hint("a container with a terminal has no frames; this one was made without");
  }
  for (std::size_t i = 4; i < header_.size(); ++i) {
    left_ = left_ << 8 | header_[i];
  }
}

void Demultiplexer::emit(std::string_view bytes) {
  if (header_[0] != k_engine_error) {
    on_bytes_(
        header_[0] == k_standard_error ? OutputStream::standard_error
                                       : OutputStream::standard_output,
        bytes);
    return;
  }
  engine_error_ +=
      bytes.substr(0, k_max_engine_error - std::min(engine_error_.size(), k_max_engine_error));
  if (left_ == 0) {
    throw Error(
        ErrorCode::upstream_denied, "the Docker engine could not go on with the container's output")
        .with_remote_text(engine_error_);
  }
}

}  // namespace freshet::engine
