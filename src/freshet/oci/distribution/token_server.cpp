// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/token_server.hpp"

#include "freshet/base/text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace json = boost::json;
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t k_default_lifetime_s = 60;  // what the specification says of a missing one
constexpr std::int64_t k_max_lifetime_s = 3600;  // a longer promise is not worth relying on
constexpr std::size_t k_max_token_answer = 256UL * 1024;
constexpr Ctx::Clock::duration k_max_margin = 15s;

bool is_safe_token(std::string_view token) {
  return !token.empty() && std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7F'; });
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Ctx::Clock::duration usable_time(const json::object& answer) {
  const json::value* member = answer.if_contains("expires_in");
  const std::int64_t seconds =
      member != nullptr && member->is_int64() ? member->get_int64() : k_default_lifetime_s;
  const Ctx::Clock::duration lifetime =
      std::chrono::seconds(std::clamp<std::int64_t>(seconds, 1, k_max_lifetime_s));
  return lifetime - std::min(k_max_margin, lifetime / 5);
}

/// `name=value` pairs of a query or a form; empty values are left out.
class Form {
 public:
  explicit Form(std::string start = {}) : text_(std::move(start)) {}

  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      text_ += fmt::format("{}{}={}", text_.empty() ? "" : "&", name, net::url_encode(value));
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string with_query(const net::Url& realm, const std::string& query) {
  return realm.origin() + realm.path + (query.empty() ? "" : "?" + query);
}

}  // namespace

std::string basic_authorization(const Credentials& credentials) {
  return "Basic " +
         to_base64(credentials.username + ":" + std::string(credentials.password.reveal()));
}

net::HttpRequest token_request(
    const net::Url& realm,
    const Challenge& challenge,
    const std::string& scope,
    const std::optional<Credentials>& credentials) {
  net::HttpRequest request;
  request.max_body_bytes = k_max_token_answer;
  request.headers.add("Accept", "application/json");
  const std::string service = challenge.parameter("service");
  if (credentials && credentials->username == k_refresh_token_user) {
    Form form;
    form.add("grant_type", "refresh_token");
    form.add("service", service);
    form.add("client_id", "freshet");
    form.add("scope", scope);
    form.add("refresh_token", credentials->password.reveal());
    request.method = "POST";
    request.url = with_query(realm, realm.query);
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = form.text();
    return request;
  }
  Form query(realm.query);
  query.add("service", service);
  for (const std::string& one : split(scope, ' ')) {
    query.add("scope", one);
  }
  request.url = with_query(realm, query.text());
  if (credentials) {
    request.headers.add("Authorization", basic_authorization(*credentials));
  }
  return request;
}

std::optional<IssuedToken> read_token(std::string_view body) {
  boost::system::error_code failure;
  const json::value value = json::parse(body, failure);
  if (failure || !value.is_object()) {
    return std::nullopt;
  }
  const json::object& answer = value.get_object();
  std::string token = text_member(answer, "token");
  if (token.empty()) {
    token = text_member(answer, "access_token");
  }
  if (!is_safe_token(token)) {
    return std::nullopt;
  }
  return IssuedToken{Secret(std::move(token)), usable_time(answer)};
}

}  // namespace freshet::oci
