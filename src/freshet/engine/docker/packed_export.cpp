// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/packed_export.hpp"

#include "freshet/engine/docker/image_layers.hpp"
#include "freshet/engine/docker/image_tar.hpp"
#include "freshet/oci/layers/decompression.hpp"
#include "freshet/oci/layers/verified_stream.hpp"

#include <fmt/format.h>

#include <map>

namespace freshet::engine {
namespace {

constexpr std::string_view k_blobs = "blobs/sha256/";
constexpr std::string_view k_what = "the engine's export";
constexpr std::size_t k_max_kept_bytes = 32UL * 1024 * 1024;  // of all JSON in one export

/// The digest that a member's name stands for.
std::optional<oci::Digest> digest_of(const TarMember& member) {
  if (!member.is_file || !member.name.starts_with(k_blobs)) {
    return std::nullopt;
  }
  return oci::Digest::parse("sha256:" + member.name.substr(k_blobs.size()));
}

class PackedExportSource final : public oci::ImageSource {
 public:
  PackedExportSource(DockerClient& client, asio::thread_pool& pool, WantedImage wanted)
      : client_(client), pool_(pool), wanted_(std::move(wanted)) {}

  const std::vector<oci::Digest>& diff_ids() const override { return wanted_.diff_ids; }
  std::string_view name() const override { return "export by the engine"; }

  Awaitable<std::string> config(Ctx ctx) override {
    co_await find_image(ctx);
    co_return image_->config;
  }

  Awaitable<std::optional<oci::Manifest>> manifest(Ctx ctx) override {
    co_await find_image(ctx);
    co_return image_->manifest;
  }

  Awaitable<void> visit_blobs(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override {
    co_await visit_all(ctx, std::move(wanted), visit);
  }

  Awaitable<void> visit_layers(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override {
    const Visitor unpack = [&](std::size_t index, std::unique_ptr<net::ByteStream> blob) {
      std::unique_ptr<net::ByteStream> tar = oci::decompress(std::move(blob), pool_);
      tar = oci::verified(std::move(tar), wanted_.diff_ids[index], std::string(k_what));
      return visit(index, std::move(tar));
    };
    co_await visit_all(ctx, std::move(wanted), unpack);
  }

 private:
  std::string frame() const {
    return fmt::format("reading the export of image '{}'", wanted_.target.to_string());
  }

  Awaitable<void> find_image(Ctx ctx) {
    if (image_) {
      co_return;
    }
    std::map<oci::Digest, std::string> blobs;
    co_await in_context(frame(), collect_json(ctx, blobs));
    const BlobLoader load = [&](const oci::Digest& digest) {
      const auto found = blobs.find(digest);
      return found == blobs.end() ? std::nullopt : std::optional(found->second);
    };
    image_ = find_packed_image(load, wanted_);
    if (!image_) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format("{} of image '{}' lacks its manifest", k_what, wanted_.target.to_string()));
    }
  }

  Awaitable<void> collect_json(Ctx ctx, std::map<oci::Digest, std::string>& blobs) {
    TarReader archive(co_await client_.export_image(ctx, wanted_.target.to_string()));
    std::size_t kept = 0;
    for (;;) {
      const std::optional<TarMember> member = co_await archive.next();
      if (!member) {
        co_return;
      }
      const std::optional<oci::Digest> digest = digest_of(*member);
      if (!digest || member->size_bytes > k_max_json_blob_bytes) {
        continue;
      }
      std::string bytes = co_await archive.read_all(k_max_json_blob_bytes);
      if (!bytes.starts_with('{')) {
        continue;  // a small layer
      }
      kept += bytes.size();
      if (kept > k_max_kept_bytes) {
        throw Error(
            ErrorCode::too_large,
            fmt::format("{} has over {} bytes of JSON", k_what, k_max_kept_bytes));
      }
      blobs.emplace(*digest, std::move(bytes));
    }
  }

  Awaitable<void> visit_all(Ctx ctx, std::set<std::size_t> wanted, const Visitor& visit) {
    if (wanted.empty()) {
      co_return;
    }
    co_await find_image(ctx);
    std::map<oci::Digest, std::size_t> missing;
    for (const auto& [diff_id, index] : first_of_equal(wanted_.diff_ids, wanted)) {
      missing.emplace(image_->layers[index].digest, index);
    }
    co_await in_context(frame(), scan(ctx, missing, visit));
    if (!missing.empty()) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format(
              "{} of image '{}' lacks layer '{}'",
              k_what,
              wanted_.target.to_string(),
              missing.begin()->first.to_string()));
    }
  }

  /// Takes what it has found out of `missing`.
  Awaitable<void> scan(Ctx ctx, std::map<oci::Digest, std::size_t>& missing, const Visitor& visit) {
    TarReader archive(co_await client_.export_image(ctx, wanted_.target.to_string()));
    while (!missing.empty()) {
      const std::optional<TarMember> member = co_await archive.next();
      if (!member) {
        co_return;
      }
      const std::optional<oci::Digest> digest = digest_of(*member);
      const auto found = digest ? missing.find(*digest) : missing.end();
      if (found == missing.end()) {
        continue;
      }
      const std::size_t index = found->second;
      missing.erase(found);
      std::unique_ptr<net::ByteStream> blob =
          oci::verified(content_of(archive), *digest, std::string(k_what));
      co_await visit(index, std::move(blob));
    }
  }

  DockerClient& client_;
  asio::thread_pool& pool_;
  const WantedImage wanted_;
  std::optional<PackedImage> image_;  // nullopt: not looked for yet
};

}  // namespace

std::unique_ptr<oci::ImageSource> make_packed_export_source(
    DockerClient& client, asio::thread_pool& pool, WantedImage image) {
  return std::make_unique<PackedExportSource>(client, pool, std::move(image));
}

}  // namespace freshet::engine
