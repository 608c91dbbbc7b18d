// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/answer_framing.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::net {
namespace {

constexpr std::size_t k_shown = 40;

bool is_length(std::string_view text) {
  constexpr std::size_t k_max_digits = 18;  // more overflow somebody's integer
  return !text.empty() && text.size() <= k_max_digits &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::string> framing_problem(const HttpHeaders& headers) {
  const auto lengths = headers.find_all("Content-Length");
  const auto encodings = headers.find_all("Transfer-Encoding");
  for (const std::string& length : lengths) {
    if (!is_length(length)) {
      return fmt::format("its length is '{}'", printable(length, k_shown));
    }
    if (length != lengths.front()) {
      return fmt::format("its length is '{}' and '{}'", lengths.front(), length);
    }
  }
  if (encodings.empty()) {
    return std::nullopt;
  }
  if (encodings.size() > 1 || to_lower(encodings.front()) != "chunked") {
    return fmt::format("its transfer encoding is '{}'", printable(join(encodings, ", "), k_shown));
  }
  if (!lengths.empty()) {
    return fmt::format("its length is '{}' and it is sent in chunks", lengths.front());
  }
  return std::nullopt;
}

}  // namespace freshet::net
