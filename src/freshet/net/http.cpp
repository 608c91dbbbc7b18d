// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/http.hpp"

#include "freshet/base/text.hpp"

#include <algorithm>

namespace freshet::net {
namespace {

constexpr std::string_view k_breaks{"\r\n\0", 3};

bool is_same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && to_lower(a) == to_lower(b);
}

}  // namespace

HttpHeaders::HttpHeaders(std::initializer_list<Field> fields) {
  for (const auto& [name, value] : fields) {
    add(name, value);
  }
}

void HttpHeaders::add(std::string name, std::string value) {
  if (name.find_first_of(k_breaks) != std::string::npos ||
      value.find_first_of(k_breaks) != std::string::npos) {
    throw Error(
        ErrorCode::internal, "HTTP header '" + printable(name, 64) + "' contains a line break");
  }
  fields_.emplace_back(std::move(name), std::move(value));
}

void HttpHeaders::set(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const Field& field) { return is_same_name(field.first, name); });
  add(std::string(name), std::move(value));
}

std::optional<std::string> HttpHeaders::find(std::string_view name) const {
  for (const auto& [known, value] : fields_) {
    if (is_same_name(known, name)) {
      return value;
    }
  }
  return std::nullopt;
}

std::vector<std::string> HttpHeaders::find_all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [known, value] : fields_) {
    if (is_same_name(known, name)) {
      values.push_back(value);
    }
  }
  return values;
}

TransportError::TransportError(
    TransportProblem kind, ErrorCode code, std::string message, std::string hint)
    : Error(Error(code, std::move(message)).with_hint(std::move(hint))), kind_(kind) {}

Awaitable<std::string> HttpStream::read_all(std::size_t max_bytes) {
  const Ctx ctx = Ctx{}.within(HttpRequest::k_default_slow_limit);
  co_return co_await with_deadline(ctx, "reading the rest of an answer", gather(max_bytes));
}

Awaitable<std::string> HttpStream::gather(std::size_t max_bytes) {
  constexpr std::size_t k_step = 16UL * 1024;
  std::string text;
  for (;;) {
    const std::size_t before = text.size();
    text.resize(before + k_step);
    const std::size_t count = co_await read(asio::buffer(text.data() + before, k_step));
    text.resize(before + count);
    if (text.size() > max_bytes) {
      throw Error(
          ErrorCode::too_large,
          "the answer is longer than " + std::to_string(max_bytes) + " bytes");
    }
    if (count == 0) {
      co_return text;
    }
  }
}

}  // namespace freshet::net
