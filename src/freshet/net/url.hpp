// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace freshet::net {

/// The parts of an absolute http or https URL, as the HTTP client itself will understand them.
struct Url {
  std::string scheme;  // `http` or `https`
  std::string host;  // lower case; IPv6 in brackets; a number written oddly becomes dotted
  int port = 0;  // the scheme's own when the URL says none
  std::string path;  // starts with `/`
  std::string query;  // without `?`
  bool has_userinfo = false;

  /// `host`, or `host:port` when the port is not the scheme's own.
  std::string authority() const;
  /// `scheme://authority`
  std::string origin() const;
  /// `path`, or `path?query`
  std::string target() const;
};

/// nullopt when `text` is not an absolute http or https URL of printable ASCII.
std::optional<Url> parse_url(std::string_view text);

/// `url` for a log or message: no user and password, no fragment, and `***` in place of every query
/// value, since pre-signed URLs carry their credential there.
std::string redacted(std::string_view url);

/// Percent-encodes everything but letters, digits and `-._~` (RFC 3986, "unreserved").
std::string url_encode(std::string_view text);

}  // namespace freshet::net
