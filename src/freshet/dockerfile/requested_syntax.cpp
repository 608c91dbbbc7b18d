// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/dockerfile/file.hpp"
#include "freshet/dockerfile/source_lines.hpp"

#include <boost/json.hpp>

#include <utility>

namespace freshet::dockerfile {
namespace {

/// Directives of any name may stand in front of it: older builders go on behind unknown ones.
std::optional<Word> find_directive(
    std::string_view text, std::string_view comment_sign, const std::string& name) {
  SourceLines lines(text);
  DirectiveReader reader(comment_sign, true);
  bool may_be_shebang = true;
  while (const auto line = lines.next()) {
    if (std::exchange(may_be_shebang, false) && line->starts_with("#!")) {
      continue;
    }
    const auto found = reader.read(without_line_break(*line));
    if (!found) {
      break;
    }
    if (to_lower(found->name) == "syntax") {
      const int column = static_cast<int>(found->value.data() - line->data()) + 1;
      const std::string_view image = found->value.substr(0, found->value.find(' '));
      return Word{std::string(image), {name, lines.number(), column}};
    }
  }
  return std::nullopt;
}

std::optional<Word> find_in_json(std::string_view text, const std::string& name) {
  SourceLines lines(text);
  const auto first = lines.next();
  if (!first) {
    return std::nullopt;
  }
  const bool is_shebang = first->starts_with("#!");
  const char* const begin = first->data() + (is_shebang ? first->size() : 0);
  text.remove_prefix(static_cast<std::size_t>(begin - text.data()));
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse({text.data(), text.size()}, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* syntax = object == nullptr ? nullptr : object->if_contains("syntax");
  if (syntax == nullptr || !syntax->is_string()) {
    return std::nullopt;
  }
  return Word{std::string(syntax->as_string()), {name, is_shebang ? 2 : 1, 1}};
}

}  // namespace

std::optional<Word> requested_syntax(std::string_view text, const std::string& name) {
  for (const std::string_view sign : {"#", "//"}) {
    if (auto found = find_directive(text, sign, name)) {
      return found;
    }
  }
  return find_in_json(text, name);
}

}  // namespace freshet::dockerfile
