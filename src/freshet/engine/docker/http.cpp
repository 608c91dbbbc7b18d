// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/http.hpp"

#include "freshet/base/text.hpp"

#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include <limits>

namespace freshet::engine {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t k_max_head_bytes = 64 * 1024;

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string encode(std::string_view text, std::string_view also_plain) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c) || also_plain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

std::string with_query(std::string path, const Query& query) {
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (!value.empty()) {
      fmt::format_to(std::back_inserter(path), "{}{}={}", separator, name, encode(value, {}));
      separator = '&';
    }
  }
  return path;
}

std::string encode_path(std::string_view text) {
  return encode(text, "/:@");
}

AnswerParser::AnswerParser() {
  eager(true);
  header_limit(k_max_head_bytes);
  body_limit(boost::none);  // whoever collects the body limits it
}

AnswerParser::State AnswerParser::feed(std::string& buffer) {
  std::size_t taken = 0;
  boost::beast::error_code code;
  while (!is_done() && !code && taken < buffer.size()) {
    const boost::asio::const_buffer rest(buffer.data() + taken, buffer.size() - taken);
    taken += put(rest, code);
  }
  buffer.erase(0, taken);
  if (code && code != http::error::need_more) {
    return State::malformed;
  }
  return is_done() ? State::done : State::need_more;
}

AnswerParser::State AnswerParser::feed_end() {
  boost::beast::error_code code;
  if (got_some()) {
    put_eof(code);
  }
  return !code && is_done() ? State::done : State::need_more;
}

std::string_view AnswerParser::header(std::string_view name) const {
  for (const auto& [key, value] : headers_) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

void AnswerParser::on_response_impl(int status, Text, int, ErrorRef) {
  status_ = static_cast<unsigned>(status);
}

void AnswerParser::on_field_impl(http::field, Text name, Text value, ErrorRef) {
  headers_.emplace_back(to_lower(name), std::string(value));
}

std::size_t AnswerParser::on_body_impl(Text body, ErrorRef) {
  body_.append(body.data(), body.size());
  return body.size();
}

std::size_t AnswerParser::on_chunk_body_impl(std::uint64_t, Text body, ErrorRef) {
  body_.append(body.data(), body.size());
  return body.size();
}

}  // namespace freshet::engine
