// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/net/http.hpp"

#include <string>
#include <string_view>

namespace freshet::oci {

/// What a registry or token server says in an answer that refuses: `CODE: message; …` from its
/// JSON, short plain text as it is, nothing from an HTML page. Source: OCI Distribution Spec 1.1,
/// "Error Codes".
std::string registry_words(const net::HttpResponse& response);

/// What was asked of a registry, in the words of an error about it.
struct Request {
  std::string action;  // e.g. `listing the tags of 'team/app'`
  std::string subject;  // what does not exist on a 404, e.g. `repository 'team/app'`
};

/// The error that an unwanted answer of `domain` means, with the registry's words in it.
Error registry_error(
    std::string_view domain, const Request& request, const net::HttpResponse& response);

}  // namespace freshet::oci
