// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/expressions/interpolation.hpp"

#include "freshet/base/text.hpp"

#include <utility>

namespace freshet::pipeline {
namespace {

constexpr std::string_view k_open = "${{";
constexpr std::string_view k_close = "}}";

/// The first use at or after `from`: `${{`, the shortest text of at least one character on the same
/// line, `}}`.
std::optional<VariableUse> next_variable(std::string_view text, std::size_t from) {
  for (;;) {
    const std::size_t start = text.find(k_open, from);
    if (start == std::string_view::npos) {
      return std::nullopt;
    }
    const std::size_t name = start + k_open.size();
    const std::size_t end = text.find(k_close, name + 1);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view content = text.substr(name, end - name);
    if (content.find('\n') == std::string_view::npos) {
      return VariableUse{std::string(trim(content)), start, end + k_close.size() - start};
    }
    from = start + 1;
  }
}

}  // namespace

Lookup first_of(std::vector<Lookup> lookups) {
  return [lookups = std::move(lookups)](std::string_view name) -> std::optional<std::string> {
    for (const Lookup& lookup : lookups) {
      if (auto value = lookup(name)) {
        return value;
      }
    }
    return std::nullopt;
  };
}

std::string interpolate(std::string_view text, const Lookup& lookup) {
  std::string out;
  std::size_t done = 0;
  while (const auto use = next_variable(text, done)) {
    out += text.substr(done, use->offset - done);
    if (const auto value = lookup(use->name)) {
      out += *value;
    } else {
      out += text.substr(use->offset, use->length);
    }
    done = use->offset + use->length;
  }
  out += text.substr(done);
  return out;
}

std::vector<VariableUse> find_variables(std::string_view text) {
  std::vector<VariableUse> uses;
  std::size_t done = 0;
  while (auto use = next_variable(text, done)) {
    done = use->offset + use->length;
    uses.push_back(std::move(*use));
  }
  return uses;
}

std::optional<std::string> sole_variable(std::string_view text) {
  text = trim(text);
  const auto use = next_variable(text, 0);
  if (!use || use->offset != 0 || use->length != text.size()) {
    return std::nullopt;
  }
  return use->name;
}

}  // namespace freshet::pipeline
