// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/sigv4.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/net/url.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <map>
#include <vector>

namespace freshet::registries::aws {
namespace {

constexpr std::string_view k_algorithm = "AWS4-HMAC-SHA256";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string sha256_hex(std::string_view text) {
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()), bytes_of(text), text.size());
  return to_hex(hash);
}

std::string hmac(std::string_view key, std::string_view text) {
  std::string out(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(text), text.size());
  crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(out.data()));
  sodium_memzero(&state, sizeof state);
  return out;
}

/// Sorted by name and then value, `=` after each name.
std::string canonical_query(std::string_view query) {
  if (query.empty()) {
    return {};
  }
  std::vector<std::string> parts = split(query, '&');
  for (std::string& part : parts) {
    if (part.find('=') == std::string::npos) {
      part += '=';
    }
  }
  std::ranges::sort(parts);
  return join(parts, "&");
}

/// Blanks at the ends gone, those inside made one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim(value)) {
    if (c != ' ' || out.empty() || out.back() != ' ') {
      out += c;
    }
  }
  return out;
}

struct SignedHeaders {
  std::string lines;  // `name:value` and a line break, each
  std::string names;  // separated by `;`
};

SignedHeaders canonical_headers(const net::HttpHeaders& headers) {
  std::map<std::string, std::string> by_name;
  for (const auto& [name, value] : headers.fields()) {
    std::string& joined = by_name[to_lower(name)];
    joined += (joined.empty() ? "" : ",") + canonical_value(value);
  }
  SignedHeaders out;
  std::vector<std::string> names;
  for (const auto& [name, value] : by_name) {
    out.lines += name + ":" + value + "\n";
    names.push_back(name);
  }
  out.names = join(names, ";");
  return out;
}

/// The path with dot segments and doubled slashes gone, each segment encoded once more.
std::string canonical_path(std::string_view path) {
  std::vector<std::string> kept;
  for (const std::string& part : split(path, '/')) {
    if (part == "..") {
      if (!kept.empty()) {
        kept.pop_back();
      }
    } else if (!part.empty() && part != ".") {
      kept.push_back(net::url_encode(part));
    }
  }
  std::string out = "/" + join(kept, "/");
  if (out.size() > 1 && path.ends_with('/')) {
    out += '/';
  }
  return out;
}

}  // namespace

void sign(
    net::HttpRequest& request,
    const Keys& keys,
    std::string_view region,
    std::string_view service,
    UnixTime at) {
  const auto url = net::parse_url(request.url);
  FRESHET_ASSERT(url.has_value());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const std::string time =
      fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
  const std::string date = time.substr(0, 8);
  request.headers.set("Host", url->authority());
  request.headers.set("X-Amz-Date", time);
  if (!keys.session_token.is_empty()) {
    request.headers.set("X-Amz-Security-Token", std::string(keys.session_token.reveal()));
  }
  const SignedHeaders headers = canonical_headers(request.headers);
  const std::string canonical = fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}",
      request.method,
      canonical_path(url->path),
      canonical_query(url->query),
      headers.lines,
      headers.names,
      sha256_hex(request.body));
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", date, region, service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", k_algorithm, time, scope, sha256_hex(canonical));
  std::string key = "AWS4" + std::string(keys.secret_access_key.reveal());
  for (const std::string_view part :
       {std::string_view(date), region, service, std::string_view("aws4_request")}) {
    std::string next = hmac(key, part);
    sodium_memzero(key.data(), key.size());
    key = std::move(next);
  }
  request.headers.set(
      "Authorization",
      fmt::format(
          "{} Credential={}/{}, SignedHeaders={}, Signature={}",
          k_algorithm,
          keys.access_key_id,
          scope,
          headers.names,
          to_hex(hmac(key, to_sign))));
  sodium_memzero(key.data(), key.size());
}

}  // namespace freshet::registries::aws
