// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/strict_json.hpp"

#include "freshet/base/text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <set>
#include <vector>

namespace freshet::oci {
namespace json = boost::json;
namespace {

constexpr std::size_t k_max_shown = 60;

/// Receives what the parser finds and only looks at the names.
class NameWatch {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = 64UL * 1024;
  static constexpr std::size_t max_string_size = std::size_t(-1);

  const std::optional<std::string>& repeated() const { return repeated_; }

  bool on_object_begin(json::error_code&) {
    open_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, json::error_code&) {
    open_.pop_back();
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    name_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& failure) {
    name_.append(part.data(), part.size());
    if (!open_.back().insert(name_).second) {
      repeated_ = name_;
      failure = make_error_code(json::error::syntax);
      return false;
    }
    name_.clear();
    return true;
  }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  std::vector<std::set<std::string>> open_;  // the names of each object around the place read
  std::string name_;
  std::optional<std::string> repeated_;
};

}  // namespace

std::string json_fault(std::string_view text, std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<NameWatch> parser(options);
  json::error_code failure;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
  const std::optional<std::string>& repeated = parser.handler().repeated();
  if (repeated) {
    return fmt::format("has the name '{}' twice in one object", printable(*repeated, k_max_shown));
  }
  if (failure || used != text.size()) {
    return "is not JSON";
  }
  return {};
}

std::optional<json::value> parse_strict_json(std::string_view text, std::size_t max_depth) {
  if (!json_fault(text, max_depth).empty()) {
    return std::nullopt;
  }
  json::parse_options options;
  options.max_depth = max_depth;
  json::error_code failure;
  json::value value = json::parse(text, failure, {}, options);
  return failure ? std::nullopt : std::optional(std::move(value));
}

}  // namespace freshet::oci
