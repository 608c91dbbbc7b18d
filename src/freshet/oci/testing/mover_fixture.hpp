// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/testing/run.hpp"
#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/oci/testing/memory_registry.hpp"
#include "freshet/oci/testing/mover_fakes.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace freshet::oci::testing {

inline constexpr const char* k_docker_manifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr const char* k_docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr const char* k_docker_layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr const char* k_oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* k_oci_index = "application/vnd.oci.image.index.v1+json";

using Lines = std::vector<std::string>;

inline std::string part_json(const Descriptor& blob, std::string_view more = "") {
  return fmt::format(
      R"({{"mediaType":"{}","digest":"{}","size":{}{}}})",
      blob.media_type,
      blob.digest.to_string(),
      blob.size_bytes,
      more);
}

/// Two registries in memory and a mover between them.
class MoverTest : public ::testing::Test {
 protected:
  Place place(MemoryRegistry& registry, std::string repository) {
    const std::string domain = &registry == &one ? "one.test" : "two.test";
    auto& client = clients_[domain];
    if (client == nullptr) {
      client = std::make_shared<RegistryClient>(registry, domain);
    }
    return Place{client, std::move(repository)};
  }

  /// An image of Docker's format with such layers.
  Manifest add_image(
      MemoryRegistry& registry,
      const std::string& repository,
      const std::string& tag,
      const Lines& layers,
      const std::string& more = "") {
    Lines diff_ids;
    Lines parts;
    for (const std::string& layer : layers) {
      parts.push_back(part_json(registry.add_blob(repository, layer, k_docker_layer)));
      diff_ids.push_back("\"" + Digest::of("tar of " + layer).to_string() + "\"");
    }
    const std::string config = fmt::format(
        R"({{"rootfs":{{"type":"layers","diff_ids":[{}]}}}})", fmt::join(diff_ids, ","));
    const Descriptor blob = registry.add_blob(repository, config, k_docker_config);
    const std::string type = more.empty() ? k_docker_manifest : k_oci_manifest;
    return registry.add_manifest(
        repository,
        fmt::format(
            R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]{}}})",
            type,
            part_json(blob),
            fmt::join(parts, ","),
            more),
        type,
        tag);
  }

  /// What refers to `subject`, with one layer of its own.
  Manifest add_referrer(
      MemoryRegistry& registry,
      const std::string& repository,
      const Manifest& subject,
      const std::string& content) {
    const std::string more = R"(,"subject":)" + part_json(subject.descriptor);
    return add_image(registry, repository, "", {content}, more);
  }

  Manifest add_index(
      MemoryRegistry& registry,
      const std::string& repository,
      const std::string& tag,
      const std::vector<std::pair<Manifest, std::string>>& entries) {
    Lines parts;
    for (const auto& [manifest, more] : entries) {
      parts.push_back(part_json(manifest.descriptor, more));
    }
    return registry.add_manifest(
        repository,
        fmt::format(
            R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}})",
            k_oci_index,
            fmt::join(parts, ",")),
        k_oci_index,
        tag);
  }
  static std::string for_platform(std::string_view architecture) {
    return fmt::format(R"(,"platform":{{"os":"linux","architecture":"{}"}})", architecture);
  }

  MoveReport copy(
      Place source, std::string reference, Place target, Lines tags, CopyOptions options = {}) {
    return net::testing::run_on(
        io,
        mover.copy(
            Ctx{},
            std::move(source),
            std::move(reference),
            std::move(target),
            std::move(tags),
            std::move(options),
            [this](std::string_view line) { lines.emplace_back(line); }));
  }
  MoveReport push(ImageSource& image, Place target, Lines tags, PushOptions options = {}) {
    return net::testing::run_on(
        io,
        mover.push(
            Ctx{},
            image,
            std::move(target),
            std::move(tags),
            std::move(options),
            [this](std::string_view line) { lines.emplace_back(line); }));
  }

  /// Whether `tag` and all below it is there, byte for byte.
  static bool has_image(MemoryRegistry& registry, const std::string& repository, std::string tag) {
    auto& place = registry.repositories[repository];
    if (!Digest::parse(tag)) {
      tag = place.tags.contains(tag) ? place.tags.at(tag) : "";
    }
    const auto found = place.manifests.find(tag);
    if (found == place.manifests.end()) {
      return false;
    }
    const Manifest& manifest = found->second;
    const ParsedManifest parsed = parse_manifest(manifest.bytes, manifest.descriptor.media_type);
    bool is_complete = manifest.descriptor.digest.is_of(manifest.bytes);
    for (const ManifestEntry& child : parsed.manifests) {
      is_complete &= has_image(registry, repository, child.descriptor.digest.to_string());
    }
    std::vector<ManifestEntry> blobs = parsed.layers;
    if (parsed.config) {
      blobs.push_back(*parsed.config);
    }
    for (const ManifestEntry& entry : blobs) {
      const auto blob = place.blobs.find(entry.descriptor.digest.to_string());
      is_complete &= blob != place.blobs.end() && entry.descriptor.digest.is_of(blob->second);
    }
    return is_complete;
  }

  asio::io_context io;
  asio::thread_pool pool{2};
  MemoryRegistry one;
  MemoryRegistry two;
  FakeLayerMemory memory;
  ImageMover mover{pool, memory};
  Lines lines;  // of progress

 private:
  std::map<std::string, std::shared_ptr<RegistryClient>> clients_;
};

}  // namespace freshet::oci::testing
