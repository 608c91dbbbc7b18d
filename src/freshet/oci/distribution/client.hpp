// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/oci/descriptor.hpp"
#include "freshet/oci/distribution/blobs.hpp"
#include "freshet/oci/distribution/connection.hpp"
#include "freshet/oci/distribution/credentials.hpp"
#include "freshet/oci/distribution/options.hpp"
#include "freshet/oci/distribution/ping.hpp"
#include "freshet/oci/distribution/registry_error.hpp"
#include "freshet/oci/manifest.hpp"

#include <memory>
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
/// plain http is taken when TLS fails there, as container engines do. `http` must outlive it and
/// the streams that it gave. Calls may interleave on one executor and are cancellable. All throw:
/// net::TransportError (no answer), upstream_denied (credentials or rights refused; the registry's
/// words are quoted), not_found, rate_limited, unavailable, corrupt_data (the answer does not fit
/// together), invalid_input (malformed repository, tag or digest: nothing is sent). Source: OCI
/// Distribution Spec 1.1.
class RegistryClient {
 public:
  /// Asks everything once, without patience: for tests of a connection.
  RegistryClient(
      net::HttpClient& http, std::string domain, std::optional<Credentials> credentials = {});
  RegistryClient(
      net::HttpClient& http,
      std::string domain,
      std::shared_ptr<CredentialSource> credentials,
      RegistryOptions options);

  const std::string& domain() const { return connection_->domain(); }

  /// The token server that let us in last, host[:port]; empty when none was asked.
  const std::string& token_server() const;

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

  /// Writes the manifest under `reference`, a tag or its own digest, byte for byte. A tag that
  /// cannot be moved is success when it has this digest already, else conflict. Where the registry
  /// does not list referrers, a manifest with a subject is added to the subject's fallback tag.
  Awaitable<void> put_manifest(
      Ctx ctx, std::string repository, std::string reference, Manifest manifest);
  /// Removes one tag and nothing else. Throws also unsupported: the registry can only delete whole
  /// images.
  Awaitable<void> delete_tag(Ctx ctx, std::string repository, std::string tag);
  /// What refers to `subject` (signatures, attestations, …): by the referrers API, else by the
  /// fallback tag. Empty when nothing does. Of one artifact type only, when it is given.
  /// Source: OCI Distribution Spec 1.1, "Listing Referrers".
  Awaitable<std::vector<Descriptor>> list_referrers(
      Ctx ctx, std::string repository, Digest subject, std::string artifact_type = {});

  /// Its size in bytes; nullopt when the repository does not have it.
  Awaitable<std::optional<std::uint64_t>> find_blob(Ctx ctx, std::string repository, Digest digest);
  /// A small blob as a whole (configuration), verified. Throws also too_large.
  Awaitable<std::string> get_blob(
      Ctx ctx, std::string repository, Descriptor blob, std::size_t max_bytes);
  /// The bytes of a blob from `offset` on; goes on by range requests where a connection breaks.
  /// Redirects to storage hosts are followed without credentials. Digest and size are verified when
  /// reading from 0: corrupt_data is thrown before the end is told.
  Awaitable<std::unique_ptr<net::ByteStream>> open_blob(
      Ctx ctx, std::string repository, Descriptor blob, std::uint64_t offset = 0);
  /// Makes a blob of another repository of this registry one of `repository` too; false when the
  /// registry does not (want to), which costs nothing but the request.
  Awaitable<bool> mount_blob(
      Ctx ctx, std::string repository, Digest digest, std::string from_repository);
  /// Uploads one blob and returns what it is. One streamed request where that goes through; after a
  /// break it goes on where the registry says it stopped, or starts again. When the commit is
  /// refused or lost, the blob counts as uploaded if the registry has it. Cancelling deletes the
  /// unfinished upload.
  Awaitable<Descriptor> push_blob(Ctx ctx, std::string repository, BlobSource& source);

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

  Awaitable<net::HttpResponse> request_manifest(
      Ctx ctx, std::string method, std::string repository, std::string reference);
  /// That it is gone when an earlier attempt may have done it counts as done (202).
  Awaitable<net::HttpResponse> request_deletion(
      Ctx ctx, std::string repository, std::string reference);
  Awaitable<Manifest> read_manifest(
      net::HttpResponse response, std::string reference, Request request);
  Awaitable<std::vector<std::string>> list_pages(Ctx ctx, List list);
  std::vector<std::string> read_page(const List& list, const net::HttpResponse& response) const;
  Awaitable<void> abandon_upload(Ctx ctx, std::string location, std::string scope);
  Awaitable<net::HttpResponse> write_manifest(
      Ctx ctx, std::string repository, std::string reference, Manifest manifest);
  Awaitable<bool> has_under(Ctx ctx, std::string repository, std::string reference, Digest digest);
  Awaitable<std::optional<std::vector<ManifestEntry>>> ask_referrers(
      Ctx ctx, std::string repository, Digest subject, std::string artifact_type);
  Awaitable<std::vector<ManifestEntry>> read_fallback(
      Ctx ctx, std::string repository, Digest subject);
  Awaitable<void> add_to_fallback(
      Ctx ctx, std::string repository, Digest subject, ManifestEntry entry);

  std::shared_ptr<RegistryConnection> connection_;
  bool has_referrers_api_ = true;  // until it is known better
};

}  // namespace freshet::oci
