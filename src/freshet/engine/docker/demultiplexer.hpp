// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/types.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace freshet::engine {

/// Takes apart the output of a container without terminal: frames of an 8-byte header (stream,
/// three zero bytes, length as big-endian 32 bits) and that many bytes. Source: Docker Engine API,
/// "Attach to a container", stream format.
class Demultiplexer {
 public:
  using Sink = std::function<void(OutputStream stream, std::string_view bytes)>;

  /// `on_bytes` gets the parts of a frame as they arrive: nothing is held back.
  explicit Demultiplexer(Sink on_bytes) : on_bytes_(std::move(on_bytes)) {}

  /// Throws: corrupt_data (no such stream), upstream_denied (the engine reports a failure of its
  /// own in the stream).
  void feed(std::string_view bytes);
  /// Whether the stream may end here: not inside a frame.
  bool is_between_frames() const { return header_size_ == 0 && left_ == 0; }

 private:
  void begin_frame();
  void emit(std::string_view bytes);

  Sink on_bytes_;
  std::array<unsigned char, 8> header_{};
  std::size_t header_size_ = 0;
  std::size_t left_ = 0;  // bytes of the present frame that are still to come
  std::string engine_error_;
};

}  // namespace freshet::engine
