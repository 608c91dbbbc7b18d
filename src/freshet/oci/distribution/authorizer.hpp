// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/masker.hpp"
#include "freshet/base/secret.hpp"
#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"
#include "freshet/oci/distribution/challenge.hpp"
#include "freshet/oci/distribution/credentials.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace freshet::oci {

/// An answer of which the body may be yet to be read.
struct StreamedAnswer {
  net::HttpResponse head;  // with its body where that was short or a refusal
  std::unique_ptr<net::HttpStream> body;  // null when it is in `head`
};

/// Sends requests to one registry and authenticates them as it demands: not at all, Basic, or with
/// a token that its token server gives for a scope.
///
/// Credentials are asked of their source when a demand makes them necessary, and once more when
/// they were refused and the source has others. They go to the registry's own origin and to a token
/// server that `require_trusted_realm` accepts, nowhere else. Tokens are kept per scope, renewed
/// shortly before they expire, and asked for once at a time, however many requests need one. The
/// requested scope is always the caller's, whatever the challenge asks for. Calls may interleave on
/// one executor.
/// Source: distribution's "Token Authentication Specification"; RFC 7617.
class Authorizer {
 public:
  using Now = std::function<Ctx::Clock::time_point()>;

  Authorizer(
      net::HttpClient& http,
      std::string domain,
      std::shared_ptr<CredentialSource> credentials,
      Now now = &Ctx::Clock::now);

  /// Answers 401 itself: with a first or a renewed token, with Basic, with renewed credentials; and
  /// 403 to Basic with renewed credentials, where the source has any. A 401 that is left is the
  /// caller's to judge; so is every 401 to a request with `body_stream`, which is read only once:
  /// asked again, it goes with what was learnt from the 401. `scope` is e.g.
  /// `repository:team/app:pull`, several are separated by blanks, none is empty. `request.url` must
  /// be on the registry. Throws: upstream_denied (untrusted realm, credentials refused by the token
  /// server), ServerTrouble (of the token server), and what `HttpClient::send` and the source
  /// throw.
  Awaitable<net::HttpResponse> send(Ctx ctx, net::HttpRequest request, std::string scope);
  /// The same without waiting for the body of an answer that is not a refusal.
  Awaitable<StreamedAnswer> open(Ctx ctx, net::HttpRequest request, std::string scope);

  /// Gets the credentials, so that the next two know them.
  Awaitable<void> identify(Ctx ctx);
  /// As far as they were needed yet.
  bool has_credentials() const { return credentials_.has_value(); }
  /// For messages: `user 'bob'`, or `anybody`.
  std::string who() const;
  /// Whether the registry answered last from an internal address.
  bool is_registry_internal() const { return is_registry_internal_; }
  /// From now on ask this token server only (host[:port]); empty: any that can be trusted.
  void bind_to(std::string token_server) { bound_to_ = std::move(token_server); }
  /// The one that gave a token last, host[:port]; empty when none did.
  const std::string& token_server() const { return token_server_; }

 private:
  struct Token {
    Secret value;
    Ctx::Clock::time_point expires_at;
  };
  struct Flight;
  /// With what a request was sent.
  struct Proof {
    std::string scheme;  // empty: with nothing
    Secret token;
    std::optional<Ctx::Clock::time_point> fresh_since;  // absent: the token was there before
    int generation = 0;  // of the credentials
  };

  Awaitable<StreamedAnswer> run(
      Ctx ctx, net::HttpRequest request, std::string scope, bool is_streamed);
  Awaitable<Proof> authenticate(Ctx ctx, net::HttpRequest& request, const std::string& scope);
  /// Whether another attempt, after a 401 to one made with `proof`, would be made with another.
  bool has_better(const Proof& proof, const std::string& scope);
  bool may_have_expired(const net::HttpResponse& response, const Proof& proof) const;
  bool learn(const net::HttpResponse& response);
  bool discard_credentials(int generation);
  const Token* find_token(const std::string& scope) const;
  /// Sends, and masks the credentials in the body of a refusal: a registry that repeats what it was
  /// sent must not get them into a message.
  Awaitable<StreamedAnswer> exchange(Ctx ctx, net::HttpRequest request, bool is_streamed);
  Awaitable<Token> join_token(Ctx ctx, net::Url registry, std::string scope, bool* is_fresh);
  Awaitable<Token> fetch_token(Ctx ctx, net::Url registry, std::string scope);
  [[noreturn]] void throw_refused(
      const net::HttpResponse& response, const std::string& scope) const;

  net::HttpClient& http_;
  std::string domain_;
  std::shared_ptr<CredentialSource> source_;
  Now now_;
  std::optional<Credentials> credentials_;  // those got last
  int generation_ = 0;  // how often they were discarded
  Masker masker_;
  std::optional<Challenge> challenge_;  // what the registry demanded last
  bool is_registry_internal_ = false;
  std::string bound_to_;
  std::string token_server_;
  std::map<std::string, Token> tokens_;  // by scope
  std::map<std::string, std::shared_ptr<Flight>> flights_;  // by scope
};

}  // namespace freshet::oci
