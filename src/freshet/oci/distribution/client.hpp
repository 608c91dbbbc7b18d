// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"
#include "freshet/oci/descriptor.hpp"
#include "freshet/oci/distribution/authorizer.hpp"
#include "freshet/oci/distribution/ping.hpp"
#include "freshet/oci/distribution/registry_error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::oci {

/// Whether a push would be let in, as far as that can be told without pushing.
struct PushProbe {
  enum class Answer { yes, no, unknown };

  Answer answer = Answer::unknown;
  std::string reason;  // for no and unknown
  std::string remote_text;  // the registry's words; may be empty
};

/// Speaks to one registry in the distribution protocol (API version 2).
///
/// `domain` is host[:port]; Docker Hub is `docker.io`. It is spoken to by https; on loopback hosts
/// plain http is taken when TLS fails there, as container engines do. `http` must outlive it. Calls
/// may interleave on one executor and are cancellable.
/// All throw: net::TransportError (no answer), upstream_denied (credentials or rights refused; the
/// registry's words are quoted), not_found, rate_limited, unavailable, corrupt_data (the answer
/// does not fit together), invalid_input (malformed repository, tag or digest: nothing is sent).
/// Source: OCI Distribution Spec 1.1.
class RegistryClient {
 public:
  RegistryClient(
      net::HttpClient& http, std::string domain, std::optional<Credentials> credentials = {});

  /// Asks `GET /v2/` without credentials what answers there.
  Awaitable<PingAnswer> ping(Ctx ctx);
  /// Does the same with credentials. Throws upstream_denied when they are refused, unsupported when
  /// it is no registry after all.
  Awaitable<void> check_credentials(Ctx ctx);

  /// `reference` is a tag or digest. nullopt when the registry does not have it.
  Awaitable<std::optional<Descriptor>> find_manifest(
      Ctx ctx, std::string repository, std::string reference);
  /// At most 4 MiB, verified against `reference` and the registry's own digest.
  /// Throws also: too_large, unsupported (schema 1 and what is no manifest).
  Awaitable<Manifest> get_manifest(Ctx ctx, std::string repository, std::string reference);
  /// Deletes the manifest and with it all its tags. Throws also unsupported: not allowed there.
  Awaitable<void> delete_manifest(Ctx ctx, std::string repository, Digest digest);

  /// In the registry's order, all pages.
  Awaitable<std::vector<std::string>> list_tags(Ctx ctx, std::string repository);
  /// Throws also unsupported, when the registry lists its repositories to nobody.
  Awaitable<std::vector<std::string>> list_repositories(Ctx ctx);

  /// Begins an upload to `repository` and abandons it.
  Awaitable<PushProbe> can_push(Ctx ctx, std::string repository);

 private:
  struct List {
    std::string target;
    std::string scope;
    std::string_view member;  // of the JSON answer
    bool (*is_valid)(std::string_view item);
    Request request;
  };

  Awaitable<void> find_origin(Ctx ctx);
  Awaitable<net::HttpResponse> probe(Ctx ctx, std::string scheme);
  Awaitable<std::optional<net::TransportError>> try_scheme(Ctx ctx, std::string scheme);
  Awaitable<net::HttpResponse> send(Ctx ctx, net::HttpRequest request, std::string scope);
  Awaitable<net::HttpResponse> request_manifest(
      Ctx ctx, std::string method, std::string repository, std::string reference);
  Awaitable<Manifest> read_manifest(
      net::HttpResponse response, std::string reference, Request request);
  Awaitable<std::vector<std::string>> list_pages(Ctx ctx, List list);
  std::vector<std::string> read_page(const List& list, const net::HttpResponse& response) const;
  Awaitable<void> abandon_upload(Ctx ctx, std::string location, std::string scope);

  net::HttpClient& http_;
  std::string domain_;
  std::string host_;  // where the API of `domain_` lives
  Authorizer authorizer_;
  std::optional<net::Url> origin_;  // once it is known how to reach it
};

}  // namespace freshet::oci
