// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"
#include "freshet/oci/distribution/authorizer.hpp"
#include "freshet/oci/distribution/options.hpp"
#include "freshet/oci/distribution/registry_error.hpp"
#include "freshet/oci/distribution/retries.hpp"

#include <memory>
#include <optional>
#include <string>

namespace freshet::oci {

/// What the last of several equal requests was answered.
struct LastAnswer {
  net::HttpResponse response;
  /// An earlier one, whose answer was lost or an error of the server, may have been carried out.
  bool may_be_done_before = false;
};

/// Requests to one registry: knows how it is reached, authenticates, tries again. What
/// `RegistryClient` and its transfers share. `http` must outlive it. Calls may interleave on one
/// executor.
class RegistryConnection {
 public:
  /// Throws invalid_input when `domain` is no host.
  RegistryConnection(
      net::HttpClient& http,
      std::string domain,
      std::shared_ptr<CredentialSource> credentials,
      RegistryOptions options);

  const std::string& domain() const { return domain_; }
  const RegistryOptions& options() const { return options_; }
  Authorizer& authorizer() { return authorizer_; }

  /// Where the API is, once it is known how to reach it.
  Awaitable<net::Url> origin(Ctx ctx);
  /// Asks `GET /v2/` by `scheme`, without credentials.
  Awaitable<net::HttpResponse> probe(Ctx ctx, std::string scheme);

  /// `request.url` is path and query. Tried again, as the options say, when no answer came or one
  /// that a little patience may change; the last answer is given, whatever it is. Only for what
  /// may be done twice. Throws rate_limited when the registry demands a rest longer than there is
  /// time.
  Awaitable<net::HttpResponse> send(Ctx ctx, net::HttpRequest request, std::string scope);
  /// The same, for what can be told to be done already.
  Awaitable<LastAnswer> send_telling(Ctx ctx, net::HttpRequest request, std::string scope);
  /// One attempt.
  Awaitable<net::HttpResponse> send_once(Ctx ctx, net::HttpRequest request, std::string scope);
  /// One attempt at `request`, a GET or HEAD, with redirects followed: at most five, never from
  /// https to http, to other hosts without credentials and, from a public registry, not to internal
  /// ones. The answer's body is yet to be read. Throws also: upstream_denied (refused redirect),
  /// ServerTrouble (never for the registry's own answer).
  Awaitable<StreamedAnswer> fetch_once(Ctx ctx, net::HttpRequest request, std::string scope);

 private:
  Awaitable<void> find_origin(Ctx ctx);
  /// Says so, once, when few pulls are left.
  void watch_quota(const net::HttpResponse& response);
  Awaitable<std::optional<net::TransportError>> try_scheme(Ctx ctx, std::string scheme);
  net::Url require_sound_redirect(const net::Url& from, const net::HttpResponse& response) const;
  Awaitable<StreamedAnswer> fetch_from_stranger(Ctx ctx, net::HttpRequest request);

  net::HttpClient& http_;
  std::string domain_;
  std::string host_;  // where the API of `domain_` lives
  RegistryOptions options_;
  Authorizer authorizer_;
  std::optional<net::Url> origin_;  // once it is known how to reach it
  bool has_told_quota_ = false;
};

}  // namespace freshet::oci
