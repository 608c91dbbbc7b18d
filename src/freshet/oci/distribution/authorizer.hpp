// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/masker.hpp"
#include "freshet/base/secret.hpp"
#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"
#include "freshet/oci/distribution/challenge.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace freshet::oci {

/// Who asks a registry.
struct Credentials {
  std::string username;
  Secret password;
};

/// Sends requests to one registry and authenticates them as it demands: not at all, Basic, or with
/// a token that its token server gives for a scope.
///
/// Credentials go to the registry's own origin and to a token server that `require_trusted_realm`
/// accepts, nowhere else. Tokens are kept per scope until they expire; the requested scope is
/// always the caller's, whatever the challenge asks for. Calls may interleave on one executor.
/// Source: distribution's "Token Authentication Specification"; RFC 7617.
class Authorizer {
 public:
  using Now = std::function<Ctx::Clock::time_point()>;

  Authorizer(
      net::HttpClient& http,
      std::string domain,
      std::optional<Credentials> credentials,
      Now now = &Ctx::Clock::now);

  /// Answers 401 itself, once: with a first or a renewed token, or with Basic. A 401 that is left
  /// is the caller's to judge. `scope` is e.g. `repository:team/app:pull`, several are separated by
  /// blanks, none is empty. `request.url` must be on the registry.
  /// Throws: upstream_denied (untrusted realm, credentials refused by the token server),
  /// unavailable, and what `HttpClient::send` throws.
  Awaitable<net::HttpResponse> send(Ctx ctx, net::HttpRequest request, std::string scope);

  bool has_credentials() const { return credentials_.has_value(); }
  /// For messages: `user 'bob'`, or `anybody`.
  std::string who() const;

 private:
  struct Token {
    Secret value;
    Ctx::Clock::time_point expires_at;
  };

  bool learn(const net::HttpResponse& response);
  const Token* find_token(const std::string& scope) const;
  std::string basic_header() const;
  net::HttpRequest token_request(const net::Url& registry, const std::string& scope) const;
  /// Sends, and masks the credentials in the body of a refusal: a registry that repeats what it was
  /// sent must not get them into a message.
  Awaitable<net::HttpResponse> exchange(Ctx ctx, net::HttpRequest request);
  Awaitable<Token> fetch_token(Ctx ctx, net::Url registry, std::string scope);
  Token read_token(const net::HttpResponse& response, Ctx::Clock::time_point asked_at) const;
  [[noreturn]] void throw_refused(
      const net::HttpResponse& response, const std::string& scope) const;
  Awaitable<bool> authenticate(Ctx ctx, net::HttpRequest& request, std::string scope);

  net::HttpClient& http_;
  std::string domain_;
  std::optional<Credentials> credentials_;
  Masker masker_;
  Now now_;
  std::optional<Challenge> challenge_;  // what the registry demanded last
  bool is_registry_internal_ = false;
  std::map<std::string, Token> tokens_;  // by scope
};

}  // namespace freshet::oci
