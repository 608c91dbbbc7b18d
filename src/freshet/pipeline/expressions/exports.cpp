// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/expressions/exports.hpp"

#include "freshet/base/text.hpp"

#include <algorithm>

namespace freshet::pipeline {
namespace {

constexpr std::size_t k_max_shown_bytes = 80;

/// What can be the name of an environment variable. Wider than what a shell takes: a step's name,
/// which may hold dashes, is the first part of `<step>_CF_OUTPUT_URL`.
bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7F';
  });
}

}  // namespace

Exports parse_exports(std::string_view text) {
  Exports exports;
  for (std::string& line : split(text, '\n')) {
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    if (trim(line).empty()) {
      continue;
    }
    const std::size_t equals = line.find('=');
    const bool has_value = equals != std::string::npos && line.find('\0') == std::string::npos;
    if (has_value && is_name(std::string_view(line).substr(0, equals))) {
      exports.variables.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    } else {
      // Only the part before the `=`: a value may be a secret.
      exports.rejected.push_back(printable(line.substr(0, equals), k_max_shown_bytes));
    }
  }
  return exports;
}

}  // namespace freshet::pipeline
