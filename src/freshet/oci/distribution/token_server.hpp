// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"
#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"
#include "freshet/oci/distribution/challenge.hpp"
#include "freshet/oci/distribution/credentials.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace freshet::oci {

/// The user name that says that the password is a refresh token (an "identity token").
inline constexpr std::string_view k_refresh_token_user = "<token>";

/// A token and how long it may be used, some time left out for the way and for clocks.
struct IssuedToken {
  Secret value;
  Ctx::Clock::duration usable_for;
};

std::string basic_authorization(const Credentials& credentials);

/// The request for a token for `scope` (several separated by blanks; may be empty) from `realm`,
/// the trusted one of `challenge`: by GET with Basic, or anonymously; with a refresh token by POST.
/// Source: distribution's "Token Authentication Specification" and "OAuth2 Token Authentication".
net::HttpRequest token_request(
    const net::Url& realm,
    const Challenge& challenge,
    const std::string& scope,
    const std::optional<Credentials>& credentials);

/// Takes the token out of the body of a 200 answer. nullopt when there is none in it.
std::optional<IssuedToken> read_token(std::string_view body);

}  // namespace freshet::oci
