// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <string_view>

namespace freshet::engine {

/// Cuts a byte stream into the JSON objects that stand in it one behind the other, as the engine
/// reports the progress of a pull or push.
class JsonStream {
 public:
  static constexpr std::size_t k_max_object_bytes = 1024 * 1024;

  explicit JsonStream(std::function<void(const boost::json::object& object)> on_object);

  /// Throws corrupt_data when the bytes are not JSON objects or one is over the limit.
  void feed(std::string_view bytes);
  /// Throws corrupt_data when the stream ended inside an object.
  void finish();

 private:
  std::function<void(const boost::json::object& object)> on_object_;
  boost::json::stream_parser parser_;
  std::size_t size_ = 0;  // bytes of the object being read
};

}  // namespace freshet::engine
