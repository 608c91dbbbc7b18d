// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_tar_split.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/docker/json_access.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace freshet::engine {
namespace {

constexpr std::size_t k_input_bytes = 64 * 1024;
constexpr std::size_t k_output_bytes = 256 * 1024;
constexpr std::size_t k_max_line_bytes = 16 * 1024 * 1024;  // an archive's end is one entry
constexpr std::int64_t k_type_file = 1;
constexpr std::int64_t k_type_segment = 2;

Error corrupt(std::string_view why) {
  return Error(
      ErrorCode::corrupt_data,
      fmt::format("the engine's record of a layer's archive is damaged: {}", why));
}

std::string decoded(std::string_view base64) {
  std::optional<std::string> bytes = from_base64(base64);
  if (!bytes) {
    throw corrupt("a part is not base64");
  }
  return std::move(*bytes);
}

std::string_view view_at(const json::object& object, std::string_view key) {
  const json::value* member = object.if_contains(key);
  const json::string* text = member != nullptr ? member->if_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

TarSplitEntry entry_from(const json::object& object) {
  TarSplitEntry entry;
  const std::int64_t type = integer_at(object, "type").value_or(0);
  if (type == k_type_segment) {
    entry.bytes = decoded(view_at(object, "payload"));
    return entry;
  }
  const std::int64_t size = integer_at(object, "size").value_or(0);
  if (type != k_type_file || size < 0) {
    throw corrupt("a part is of an unknown kind");
  }
  entry.is_file = true;
  entry.size_bytes = static_cast<std::uint64_t>(size);
  const std::string_view raw_name = view_at(object, "name_raw");  // for names that are not UTF-8
  entry.name = raw_name.empty() ? std::string(view_at(object, "name")) : decoded(raw_name);
  return entry;
}

}  // namespace

TarSplitReader::TarSplitReader(UniqueFd file) : file_(std::move(file)), input_(k_input_bytes) {}

std::optional<TarSplitEntry> TarSplitReader::next() {
  const std::optional<std::string_view> line = next_line();
  if (!line) {
    return std::nullopt;
  }
  std::array<unsigned char, 8192> memory;
  json::monotonic_resource resource(memory.data(), memory.size());
  json::error_code code;
  const json::value value = json::parse(*line, code, &resource);
  const json::object& object = as_object(value);
  if (code || object.empty()) {
    throw corrupt("a line is not a JSON object");
  }
  if (number_at(object, "position") != position_++) {
    throw corrupt("a part is missing");
  }
  return entry_from(object);
}

std::optional<std::string_view> TarSplitReader::next_line() {
  std::size_t searched = text_taken_;
  for (;;) {
    const std::size_t end = text_.find('\n', searched);
    if (end != std::string::npos) {
      const std::string_view line(text_.data() + text_taken_, end - text_taken_);
      text_taken_ = end + 1;
      return line;
    }
    if (is_at_end_) {
      if (text_taken_ != text_.size()) {
        throw corrupt("it is cut short");
      }
      return std::nullopt;
    }
    text_.erase(0, text_taken_);
    text_taken_ = 0;
    searched = text_.size();
    if (text_.size() > k_max_line_bytes) {
      throw corrupt("a part is too large");
    }
    fill();
  }
}

/// Appends something to `text_`, or finds the end.
void TarSplitReader::fill() {
  const std::size_t before = text_.size();
  while (text_.size() == before && !is_at_end_) {
    const bool has_input = input_taken_ < input_size_ || read_input();
    text_.resize(before + k_output_bytes);
    const std::string_view input(input_.data() + input_taken_, input_size_ - input_taken_);
    const std::span<char> output(text_.data() + before, k_output_bytes);
    const oci::Decompressor::Step step = decompressor_->step(input, output);
    input_taken_ += step.taken;
    text_.resize(before + step.given);
    if (!has_input && step.given == 0) {
      if (!decompressor_->is_complete()) {
        throw corrupt("it is cut short");
      }
      is_at_end_ = true;
    }
  }
}

bool TarSplitReader::read_input() {
  ssize_t count = 0;
  do {
    count = ::read(file_.get(), input_.data(), input_.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    throw corrupt("it cannot be read");
  }
  input_taken_ = 0;
  input_size_ = static_cast<std::size_t>(count);
  if (!decompressor_) {
    decompressor_ = oci::Decompressor::for_content(std::string_view(input_.data(), input_size_));
  }
  return count > 0;
}

}  // namespace freshet::engine
