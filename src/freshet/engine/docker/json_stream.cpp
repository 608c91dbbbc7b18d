// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/json_stream.hpp"

#include "freshet/base/error.hpp"

#include <fmt/format.h>

namespace freshet::engine {
namespace {

constexpr std::string_view k_white_space = " \t\r\n";

Error malformed() {
  return Error(ErrorCode::corrupt_data, "the Docker engine's report of its progress is not JSON");
}

}  // namespace

JsonStream::JsonStream(std::function<void(const boost::json::object& object)> on_object)
    : on_object_(std::move(on_object)) {}

void JsonStream::feed(std::string_view bytes) {
  for (;;) {
    if (size_ == 0) {  // between two objects
      bytes.remove_prefix(std::min(bytes.find_first_not_of(k_white_space), bytes.size()));
    }
    if (bytes.empty()) {
      return;
    }
    if (size_ == 0 && bytes.front() != '{') {
      throw malformed();
    }
    boost::json::error_code code;
    const std::size_t taken = parser_.write_some(bytes.data(), bytes.size(), code);
    size_ += taken;
    if (code) {
      throw malformed();
    }
    if (size_ > k_max_object_bytes) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format(
              "the Docker engine's report of its progress is larger than the limit of {} bytes",
              k_max_object_bytes));
    }
    bytes.remove_prefix(taken);
    if (parser_.done()) {
      const boost::json::value value = parser_.release();
      parser_.reset();
      size_ = 0;
      on_object_(value.get_object());
    }
  }
}

void JsonStream::finish() {
  if (size_ != 0) {
    throw malformed();
  }
}

}  // namespace freshet::engine
