// SPDX-License-Identifier: Apache-2.0
// The parts of RegistryClient about what refers to an image.
// Source: OCI Distribution Spec 1.1, "Listing Referrers", "Referrers Tag Schema".
#include "freshet/base/text.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/oci/distribution/pagination.hpp"
#include "freshet/oci/distribution/requests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

constexpr std::size_t k_max_pages = 100;
constexpr int k_fallback_rounds = 5;  // others may write the same list at the same time

std::string fallback_tag_of(const Digest& subject) {
  return fmt::format("{}-{}", subject.algorithm(), subject.hex()).substr(0, 128);
}

void keep_type(std::vector<ManifestEntry>& entries, const std::string& artifact_type) {
  if (!artifact_type.empty()) {
    std::erase_if(
        entries, [&](const ManifestEntry& entry) { return entry.artifact_type != artifact_type; });
  }
}

/// Whether the registry says that it got what was sent, or nothing.
bool is_of(const net::HttpResponse& response, const Digest& digest) {
  const auto claimed = response.headers.find("Docker-Content-Digest");
  return !claimed || *claimed == digest.to_string();
}

bool contains(const std::vector<ManifestEntry>& entries, const Digest& digest) {
  return std::ranges::any_of(
      entries, [&](const ManifestEntry& entry) { return entry.descriptor.digest == digest; });
}

}  // namespace

/// By the API; nullopt when the registry does not have it.
Awaitable<std::optional<std::vector<ManifestEntry>>> RegistryClient::ask_referrers(
    Ctx ctx, std::string repository, Digest subject, std::string artifact_type) {
  const Request about{
      fmt::format("listing what refers to '{}'", named(repository, subject.to_string())),
      fmt::format("repository '{}'", repository)};
  std::string target = fmt::format("/v2/{}/referrers/{}", repository, subject.to_string());
  if (!artifact_type.empty()) {
    target += "?artifactType=" + net::url_encode(artifact_type);
  }
  std::vector<ManifestEntry> all;
  for (std::size_t page = 0; page < k_max_pages; ++page) {
    net::HttpRequest request;
    request.url = target;
    request.max_body_bytes = k_max_manifest_bytes;
    request.headers.add("Accept", std::string(k_manifest_media_types[0]));
    const net::HttpResponse response =
        co_await connection_->send(ctx, std::move(request), pull_scope(repository));
    const bool is_unknown_here = response.status == 404 || response.status == 405 ||
                                 response.status == 400 || response.status == 501;
    if (is_unknown_here && page == 0) {
      has_referrers_api_ = registry_words(response).starts_with("NAME_UNKNOWN");
      co_return std::nullopt;
    }
    if (response.status != 200) {
      throw registry_error(domain(), about, response);
    }
    if (media_type_of(response) != k_manifest_media_types[0]) {
      has_referrers_api_ = false;  // a page that is served for whatever is asked
      co_return std::nullopt;
    }
    const ParsedManifest parsed = parse_manifest(response.body, k_manifest_media_types[0]);
    all.insert(all.end(), parsed.manifests.begin(), parsed.manifests.end());
    const net::Url registry = co_await connection_->origin(ctx);
    auto next = next_page(registry, response);
    if (!next) {
      co_return all;
    }
    target = std::move(*next);
  }
  throw Error(
      ErrorCode::corrupt_data, fmt::format("'{}' finds no end with {}", domain(), about.action));
}

/// Reads it once more when it came garbled.
Awaitable<std::vector<ManifestEntry>> RegistryClient::read_fallback(
    Ctx ctx, std::string repository, Digest subject) {
  const std::string tag = fallback_tag_of(subject);
  const Request about{
      fmt::format("reading the manifest of '{}'", named(repository, tag)),
      fmt::format("'{}'", named(repository, tag))};
  std::optional<Error> garbled;
  for (int attempt = 1; attempt <= 2; ++attempt) {
    try {
      net::HttpResponse response = co_await request_manifest(ctx, "GET", repository, tag);
      if (response.status == 404) {
        co_return std::vector<ManifestEntry>();
      }
      const Manifest index = co_await read_manifest(std::move(response), tag, about);
      co_return parse_manifest(index.bytes, index.descriptor.media_type).manifests;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt_data) {
        throw;
      }
      garbled = error;
    }
  }
  throw Error(*garbled);
}

Awaitable<std::vector<Descriptor>> RegistryClient::list_referrers(
    Ctx ctx, std::string repository, Digest subject, std::string artifact_type) {
  require_repository(repository);
  std::optional<std::vector<ManifestEntry>> entries;
  if (has_referrers_api_) {
    entries = co_await ask_referrers(ctx, repository, subject, artifact_type);
  }
  if (!entries) {
    entries = co_await read_fallback(ctx, repository, subject);
  }
  keep_type(*entries, artifact_type);  // registries need not filter
  std::vector<Descriptor> out;
  for (const ManifestEntry& entry : *entries) {
    out.push_back(entry.descriptor);
  }
  co_return out;
}

/// The list can only be written as a whole, so it is looked at again after each write: another
/// writer at the same time would otherwise take our entry out.
Awaitable<void> RegistryClient::add_to_fallback(
    Ctx ctx, std::string repository, Digest subject, ManifestEntry entry) {
  const std::string tag = fallback_tag_of(subject);
  std::optional<Manifest> index;  // to be written
  for (int round = 0; round < k_fallback_rounds; ++round) {
    if (!index) {
      std::vector<ManifestEntry> entries = co_await read_fallback(ctx, repository, subject);
      if (contains(entries, entry.descriptor.digest)) {
        co_return;
      }
      entries.push_back(entry);
      index = make_index(entries);
    }
    const net::HttpResponse response = co_await write_manifest(ctx, repository, tag, *index);
    if (response.status != 201 && response.status != 200 && response.status != 202) {
      const Request about{
          fmt::format("the list of referrers '{}'", named(repository, tag)),
          fmt::format("repository '{}'", repository)};
      throw registry_error(domain(), about, response);
    }
    if (is_of(response, index->descriptor.digest)) {
      index.reset();
    }  // else they must not stay, our entry in them or not
  }
  if (index) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "'{}' gets other bytes than were sent for the list of referrers '{}'", domain(), tag));
  }
  throw Error(
      ErrorCode::conflict,
      fmt::format("the list of referrers '{}' is changed by others all the time", tag));
}

}  // namespace freshet::oci
