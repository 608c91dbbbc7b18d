// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/packed_image.hpp"
#include "freshet/engine/testing/image_maker.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace freshet::engine::testing {

inline std::string descriptor_of(std::string_view media_type, const std::string& content) {
  return fmt::format(
      R"({{"mediaType":"{}","digest":"{}","size":{}}})",
      media_type,
      oci::Digest::of(content).to_string(),
      content.size());
}

/// The same image as an engine with containerd's image store has it.
struct PackedTestImage : TestImage {
  explicit PackedTestImage(const std::vector<std::string>& contents) : TestImage(contents) {
    std::string list;
    for (const std::string& layer : layers) {
      packed.push_back(compressed(layer, oci::Compression::gzip));
      list += (list.empty() ? "" : ",") +
              descriptor_of("application/vnd.oci.image.layer.v1.tar+gzip", packed.back());
    }
    manifest = fmt::format(
        R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}})",
        k_manifest,
        descriptor_of("application/vnd.oci.image.config.v1+json", config),
        list);
    target = oci::Digest::of(manifest);
    inspection = fmt::format(
        R"({{"Id":"{}","RepoTags":["app:1"],"RepoDigests":["app@{}"],"Os":"linux",)"
        R"("RootFS":{{"Layers":[{}]}},"Descriptor":{}}})",
        target.to_string(),
        target.to_string(),
        quoted_diff_ids(),
        descriptor_of(k_manifest, manifest));
  }

  static constexpr std::string_view k_manifest = "application/vnd.oci.image.manifest.v1+json";

  WantedImage wanted() const { return {target, diff_ids, "linux", ""}; }

  /// An index of this image and of others before it.
  std::string index_after(const std::vector<std::string>& manifests) const {
    std::string list;
    for (const std::string& each : manifests) {
      list += descriptor_of(k_manifest, each) + ",";
    }
    return fmt::format(
        R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)"
        R"("manifests":[{}{}]}})",
        list,
        descriptor_of(k_manifest, manifest));
  }

  std::vector<std::string> blobs() const {
    std::vector<std::string> all = packed;
    all.push_back(config);
    all.push_back(manifest);
    return all;
  }

  std::string manifest;
  oci::Digest target = oci::Digest::of("");
  std::vector<std::string> packed;  // the layers' blobs

 private:
  std::string quoted_diff_ids() const {
    std::string list;
    for (const oci::Digest& diff_id : diff_ids) {
      list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", diff_id.to_string());
    }
    return list;
  }
};

/// Where the containerd that an engine starts has its blobs, below the engine's root.
inline std::string blob_path(const std::string& content) {
  return "containerd/daemon/io.containerd.content.v1.content/blobs/sha256/" +
         std::string(oci::Digest::of(content).hex());
}

inline void store_blobs(TempTree& tree, const std::vector<std::string>& blobs) {
  for (const std::string& blob : blobs) {
    tree.file(blob_path(blob), blob);
  }
}

/// The blobs of the wanted layers that a source gives, by their index.
inline Awaitable<std::map<std::size_t, std::string>> collect_blobs(
    oci::ImageSource& source, std::set<std::size_t> wanted) {
  std::map<std::size_t, std::string> blobs;
  struct Visit {
    static Awaitable<void> one(
        std::size_t index,
        std::unique_ptr<net::ByteStream> blob,
        std::map<std::size_t, std::string>& blobs) {
      std::string content = co_await oci::testing::read_all(*blob);
      blobs[index] = std::move(content);
    }
  };
  const oci::ImageSource::Visitor visit = [&](std::size_t index, auto blob) {
    return Visit::one(index, std::move(blob), blobs);
  };
  co_await source.visit_blobs(Ctx(), std::move(wanted), visit);
  co_return blobs;
}

}  // namespace freshet::engine::testing
