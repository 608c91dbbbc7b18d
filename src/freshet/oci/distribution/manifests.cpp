// SPDX-License-Identifier: Apache-2.0
// The parts of RegistryClient that read, write and delete manifests.
#include "freshet/base/text.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/oci/distribution/location.hpp"
#include "freshet/oci/distribution/requests.hpp"
#include "freshet/oci/reference.hpp"

#include <fmt/format.h>

namespace freshet::oci {
namespace {

Request about_reading(std::string_view repository, std::string_view reference) {
  const std::string name = named(repository, reference);
  return Request{fmt::format("reading the manifest of '{}'", name), fmt::format("'{}'", name)};
}

Request about_writing(std::string_view repository, std::string_view reference) {
  return Request{
      fmt::format("the manifest of '{}'", named(repository, reference)),
      fmt::format("repository '{}'", repository)};
}

/// A manifest is known by its bytes: what was made of them on the way is another one.
void require_as_it_is(
    std::string_view domain, const Request& request, const net::HttpResponse& response) {
  const std::string encoding = response.headers.find("Content-Encoding").value_or("identity");
  if (to_lower(encoding) != "identity") {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "'{}' sent {} encoded ('{}'), which nobody asked for",
            domain,
            request.subject,
            printable(encoding, 40)));
  }
}

/// The ways in which registries say that a tag stays where it is: 400 (ECR, Google, Nexus), 403
/// (Docker Hub), 409, 412 (Harbor).
bool may_mean_immutable(const net::HttpResponse& response) {
  const int status = response.status;
  return status == 400 || status == 403 || status == 405 || status == 409 || status == 412;
}

bool says_immutable(const net::HttpResponse& response) {
  const std::string words = to_lower(registry_words(response));
  return response.status == 409 || response.status == 412 ||
         words.find("immutab") != std::string::npos || words.find("overw") != std::string::npos ||
         words.find("already exists") != std::string::npos ||
         words.find("not allow updating") != std::string::npos;
}

}  // namespace

Awaitable<net::HttpResponse> RegistryClient::request_manifest(
    Ctx ctx, std::string method, std::string repository, std::string reference) {
  require_names(repository, reference);
  net::HttpRequest request;
  request.method = method;
  request.url = fmt::format("/v2/{}/manifests/{}", repository, reference);
  request.max_body_bytes = k_max_manifest_bytes;
  request.headers.add("Accept", fmt::format("{}", fmt::join(k_manifest_media_types, ", ")));
  co_return co_await connection_->send(ctx, std::move(request), pull_scope(repository));
}

Awaitable<std::optional<Descriptor>> RegistryClient::find_manifest(
    Ctx ctx, std::string repository, std::string reference) {
  net::HttpResponse response = co_await request_manifest(ctx, "HEAD", repository, reference);
  if (response.status == 200) {
    const auto digest = claimed_digest(domain(), response, reference);
    const auto length = length_of(response);
    if (digest && length) {
      co_return Descriptor{media_type_of(response), *digest, *length};
    }
  }
  const Request request = about_reading(repository, reference);
  if (is_worth_retrying(response)) {
    throw registry_error(domain(), request, response);  // was tried as often as is decent
  }
  if (response.status != 404) {
    // Some registries do not answer HEAD in full, and none says in it why it refuses.
    response = co_await request_manifest(ctx, "GET", repository, reference);
  }
  if (response.status == 404) {
    co_return std::nullopt;
  }
  const Manifest manifest = co_await read_manifest(std::move(response), reference, request);
  co_return manifest.descriptor;
}

Awaitable<Manifest> RegistryClient::get_manifest(
    Ctx ctx, std::string repository, std::string reference) {
  net::HttpResponse response = co_await request_manifest(ctx, "GET", repository, reference);
  const Request request = about_reading(repository, reference);
  co_return co_await read_manifest(std::move(response), reference, request);
}

Awaitable<Manifest> RegistryClient::read_manifest(
    net::HttpResponse response, std::string reference, Request request) {
  if (response.status != 200) {
    throw registry_error(domain(), request, response);
  }
  require_as_it_is(domain(), request, response);
  const auto claimed = claimed_digest(domain(), response, reference);
  const auto asked = Digest::parse(reference);
  const Digest expected = asked ? *asked : claimed.value_or(Digest::of(response.body));
  if (!expected.is_of(response.body) || (claimed && !claimed->is_of(response.body))) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "'{}' sent other bytes for {} than their digest '{}' says",
            domain(),
            request.subject,
            expected.to_string()));
  }
  const std::string media_type = media_type_of(response);
  in_context(request.action, [&] { require_sound_manifest(response.body, media_type); });
  const Descriptor descriptor{media_type, expected, response.body.size()};
  co_return Manifest{descriptor, std::move(response.body)};
}

Awaitable<bool> RegistryClient::has_under(
    Ctx ctx, std::string repository, std::string reference, Digest digest) {
  try {
    const auto found = co_await find_manifest(ctx, repository, reference);
    co_return found && found->digest == digest;
  } catch (const Error&) {
    co_return false;  // the first failure is the one to tell
  }
}

Awaitable<net::HttpResponse> RegistryClient::write_manifest(
    Ctx ctx, std::string repository, std::string reference, Manifest manifest) {
  net::HttpRequest request;
  request.method = "PUT";
  request.url = fmt::format("/v2/{}/manifests/{}", repository, reference);
  request.headers.add("Content-Type", manifest.descriptor.media_type);
  request.body = std::move(manifest.bytes);
  std::exception_ptr failure;
  try {
    co_return co_await connection_->send(ctx, std::move(request), push_scope(repository));
  } catch (const net::TransportError&) {
    failure = std::current_exception();
  }
  // The answer may have been lost on its way back.
  const bool has_it = co_await has_under(ctx, repository, reference, manifest.descriptor.digest);
  if (!has_it) {
    std::rethrow_exception(failure);
  }
  net::HttpResponse settled;
  settled.status = 201;
  co_return settled;
}

Awaitable<void> RegistryClient::put_manifest(
    Ctx ctx, std::string repository, std::string reference, Manifest manifest) {
  require_names(repository, reference);
  const Digest digest = manifest.descriptor.digest;
  const auto by_digest = Digest::parse(reference);
  if (!digest.is_of(manifest.bytes) || (by_digest && *by_digest != digest)) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("the manifest for '{}' is not the one that it should be", reference));
  }
  const ParsedManifest parsed = parse_manifest(manifest.bytes, manifest.descriptor.media_type);
  const net::HttpResponse response = co_await write_manifest(ctx, repository, reference, manifest);
  const bool is_written =
      response.status == 201 || response.status == 200 || response.status == 202;
  if (!is_written) {
    // HEAD before judging: what is there already needs no right to write, nor a tag that moves.
    const bool has_it = co_await has_under(ctx, repository, reference, digest);
    if (has_it) {
      co_return;
    }
    if (!by_digest && may_mean_immutable(response) && says_immutable(response)) {
      throw Error(
          ErrorCode::conflict,
          fmt::format(
              "'{}' does not let the tag '{}' be moved to another image",
              domain(),
              named(repository, reference)))
          .with_hint("push under a new tag, or allow tags to be moved in the registry")
          .with_remote_text(registry_words(response), response.status);
    }
    throw registry_error(domain(), about_writing(repository, reference), response);
  }
  claimed_digest(domain(), response, digest.to_string());
  if (parsed.subject && !response.headers.find("OCI-Subject")) {
    ManifestEntry entry{manifest.descriptor};
    entry.artifact_type = parsed.artifact_type;
    entry.annotations = parsed.annotations;
    co_await add_to_fallback(ctx, repository, parsed.subject->digest, std::move(entry));
  }
}

Awaitable<net::HttpResponse> RegistryClient::request_deletion(
    Ctx ctx, std::string repository, std::string reference) {
  net::HttpRequest request;
  request.method = "DELETE";
  request.url = fmt::format("/v2/{}/manifests/{}", repository, reference);
  LastAnswer last = co_await connection_->send_telling(
      ctx, std::move(request), fmt::format("repository:{}:delete", repository));
  const bool is_gone = last.response.status == 404 && last.may_be_done_before;
  if (is_gone) {
    last.response.status = 202;
  }
  co_return std::move(last.response);
}

Awaitable<void> RegistryClient::delete_manifest(Ctx ctx, std::string repository, Digest digest) {
  require_repository(repository);
  const std::string name = named(repository, digest.to_string());
  const Request about{fmt::format("deleting '{}'", name), fmt::format("'{}'", name)};
  const net::HttpResponse response = co_await request_deletion(ctx, repository, digest.to_string());
  if (response.status == 405) {
    throw Error(
        ErrorCode::unsupported, fmt::format("'{}' does not let images be deleted", domain()))
        .with_remote_text(registry_words(response), response.status);
  }
  if (response.status != 202 && response.status != 200 && response.status != 204) {
    throw registry_error(domain(), about, response);
  }
}

Awaitable<void> RegistryClient::delete_tag(Ctx ctx, std::string repository, std::string tag) {
  require_names(repository, tag);
  if (!is_valid_tag(tag)) {
    throw Error(ErrorCode::invalid_input, fmt::format("'{}' is not a tag", printable(tag, 255)));
  }
  const std::string name = named(repository, tag);
  const Request about{fmt::format("deleting the tag '{}'", name), fmt::format("'{}'", name)};
  const net::HttpResponse response = co_await request_deletion(ctx, repository, tag);
  const bool is_rule_of_old =
      response.status == 400 && registry_words(response).find("DIGEST_INVALID") == 0;
  const bool is_unsupported = response.status == 405 || response.status == 501 || is_rule_of_old ||
                              registry_words(response).starts_with("UNSUPPORTED");
  if (is_unsupported) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("'{}' can only delete whole images, not a single tag", domain()))
        .with_remote_text(registry_words(response), response.status);
  }
  if (response.status != 202 && response.status != 200 && response.status != 204) {
    throw registry_error(domain(), about, response);
  }
}

}  // namespace freshet::oci
