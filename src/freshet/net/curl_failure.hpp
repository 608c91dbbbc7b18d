// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/url.hpp"

#include <curl/curl.h>

#include <string>

namespace freshet::net {

/// What is known of a transfer that curl ended with `code`.
struct CurlFailure {
  CURLcode code = CURLE_OK;
  CURL* handle = nullptr;  // curl's own account is read from it
  const Url& url;
  std::string words;  // curl's; may be empty
  bool has_header = false;  // of the answer
  bool has_own_authorities = false;
  bool may_use_proxy = false;  // whether one stood between, curl's words tell
  bool is_too_late = false;  // the deadline of the whole has passed, not a limit of ours
};

/// Throws the TransportError that says so.
[[noreturn]] void throw_transport_error(const CurlFailure& failure);

/// Throws the TransportError of a proxy that answered `status` instead of letting a request for
/// `url` through. What it said is not repeated: it may quote the credentials it was told.
[[noreturn]] void throw_proxy_refusal(const Url& url, long status);

}  // namespace freshet::net
