// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/registries/aws/keys.hpp"

#include <string_view>

namespace freshet::registries::aws {

/// Signs a request to AWS: sets `Host`, `X-Amz-Date`, with a session token `X-Amz-Security-Token`,
/// and `Authorization`, which covers these, every header there is, the query and the body. Pure.
///
/// The request must be sent as it is: its URL's path and query, percent-encoded once, its body, and
/// the headers it has now.
/// Source: AWS Signature Version 4, "Create a signed AWS API request".
void sign(
    net::HttpRequest& request,
    const Keys& keys,
    std::string_view region,
    std::string_view service,
    UnixTime at);

}  // namespace freshet::registries::aws
