// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/url.hpp"

#include "freshet/base/text.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace freshet::net {
namespace {

struct CurlUrlCleanup {
  void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
};
using CurlUrl = std::unique_ptr<CURLU, CurlUrlCleanup>;

/// Empty when the URL does not have that part.
std::string part_of(CURLU* url, CURLUPart part, unsigned int flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK || text == nullptr) {
    return {};
  }
  std::string value = text;
  curl_free(text);
  return value;
}

bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
}

/// curl decodes percent signs in a host but does not look at the result again: an address in a
/// form of its own would be taken for a name. No registry's host needs them.
bool has_encoded_host(std::string_view after_scheme) {
  std::string_view host = after_scheme.substr(0, after_scheme.find_first_of("/?#"));
  host.remove_prefix(host.rfind('@') + 1);  // npos + 1 is 0
  return host.find('%') != std::string_view::npos;
}

bool is_plain_host(std::string_view host) {
  const bool is_address = host.starts_with('[') && host.ends_with(']');
  const std::string_view inner = is_address ? host.substr(1, host.size() - 2) : host;
  const std::string_view others = is_address ? ":." : "-._";
  return !inner.empty() && std::ranges::all_of(inner, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

int default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

std::string redacted_query(std::string_view query) {
  std::vector<std::string> shown;
  for (const std::string& pair : split(query, '&')) {
    const std::size_t equals = pair.find('=');
    shown.push_back(equals == std::string::npos ? "***" : pair.substr(0, equals) + "=***");
  }
  return join(shown, "&");
}

}  // namespace

std::string Url::authority() const {
  return port == default_port(scheme) ? host : fmt::format("{}:{}", host, port);
}

std::string Url::origin() const {
  return scheme + "://" + authority();
}

std::string Url::target() const {
  return query.empty() ? path : path + "?" + query;
}

std::optional<Url> parse_url(std::string_view text) {
  // curl also takes `https:///host`, as browsers do.
  const std::size_t slashes = text.find("://");
  if (!is_printable_ascii(text) || slashes == std::string_view::npos ||
      text.substr(slashes + 3).starts_with('/') || has_encoded_host(text.substr(slashes + 3))) {
    return std::nullopt;
  }
  // curl's own parser: two parsers that disagree about the host are how checks are bypassed.
  const CurlUrl handle(curl_url());
  const std::string copy(text);
  if (handle == nullptr ||
      curl_url_set(handle.get(), CURLUPART_URL, copy.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  Url url;
  url.scheme = to_lower(part_of(handle.get(), CURLUPART_SCHEME));
  url.host = to_lower(part_of(handle.get(), CURLUPART_HOST));
  url.port = std::atoi(part_of(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT).c_str());
  url.path = part_of(handle.get(), CURLUPART_PATH);
  url.query = part_of(handle.get(), CURLUPART_QUERY);
  url.has_userinfo = !part_of(handle.get(), CURLUPART_USER).empty() ||
                     !part_of(handle.get(), CURLUPART_PASSWORD).empty();
  const bool is_http = url.scheme == "http" || url.scheme == "https";
  return is_http && is_plain_host(url.host) ? std::optional(url) : std::nullopt;
}

std::string redacted(std::string_view url) {
  const auto parsed = parse_url(url);
  if (!parsed) {
    return "(malformed URL)";
  }
  const std::string base = parsed->origin() + parsed->path;
  return parsed->query.empty() ? base : base + "?" + redacted_query(parsed->query);
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                               (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                               c == '~';
    if (is_unreserved) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace freshet::net
