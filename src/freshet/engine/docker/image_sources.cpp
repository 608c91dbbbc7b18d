// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_sources.hpp"

#include "freshet/engine/docker/content_store.hpp"
#include "freshet/engine/docker/image_export.hpp"
#include "freshet/engine/docker/image_handover.hpp"
#include "freshet/engine/docker/image_layers.hpp"
#include "freshet/engine/docker/packed_export.hpp"
#include "freshet/oci/copy/visit_watch.hpp"

#include <fmt/format.h>

#include <optional>

namespace freshet::engine {
namespace {

class StorageSource final : public oci::ImageSource {
 public:
  explicit StorageSource(StoredImage image) : image_(std::move(image)) {
    for (const StoredLayer& layer : image_.layers) {
      diff_ids_.push_back(layer.diff_id);
    }
  }

  const std::vector<oci::Digest>& diff_ids() const override { return diff_ids_; }
  std::string_view name() const override { return "storage of the engine"; }
  Awaitable<std::string> config(Ctx) override { co_return image_.config; }

  Awaitable<void> visit_layers(Ctx, std::set<std::size_t> wanted, Visitor visit) override {
    const VisitOne visit_one = [&](std::size_t index) {
      const StoredLayer& layer = image_.layers[index];
      const auto produce = [&layer](oci::ProducerSink& sink) { write_archive(layer, sink); };
      return visit(
          index, oci::make_produced_stream(produce, layer.diff_id, "the engine's storage"));
    };
    co_await visit_stored(first_of_equal(diff_ids_, wanted), visit_one);
  }

 private:
  const StoredImage image_;
  std::vector<oci::Digest> diff_ids_;
};

class FallbackSource final : public oci::ImageSource {
 public:
  FallbackSource(std::unique_ptr<oci::ImageSource> first, std::unique_ptr<oci::ImageSource> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  const std::vector<oci::Digest>& diff_ids() const override { return second_->diff_ids(); }
  std::string_view name() const override { return first_ ? first_->name() : second_->name(); }

  Awaitable<std::string> config(Ctx ctx) override {
    // The first one's is at hand and right even when its layers are not.
    if (config_.empty()) {
      config_ = co_await (first_ ? *first_ : *second_).config(ctx);
    }
    co_return config_;
  }

  Awaitable<std::optional<oci::Manifest>> manifest(Ctx ctx) override {
    co_return co_await (first_ ? *first_ : *second_).manifest(ctx);
  }

  Awaitable<void> visit_layers(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override {
    co_await visit_by(&ImageSource::visit_layers, ctx, std::move(wanted), std::move(visit));
  }

  Awaitable<void> visit_blobs(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override {
    co_await visit_by(&ImageSource::visit_blobs, ctx, std::move(wanted), std::move(visit));
  }

 private:
  using Way = Awaitable<void> (ImageSource::*)(Ctx, std::set<std::size_t>, Visitor);

  Awaitable<void> visit_by(Way way, Ctx ctx, std::set<std::size_t> wanted, Visitor visit) {
    if (first_) {
      co_await config(ctx);  // while it is cheap
      const bool is_done = co_await visit_first(way, ctx, wanted, visit);
      if (is_done) {
        co_return;
      }
      first_.reset();
    }
    co_await (*second_.*way)(ctx, std::move(wanted), std::move(visit));
  }

  /// Takes what it has done out of `wanted`; false when the source itself failed.
  Awaitable<bool> visit_first(
      Way way, Ctx ctx, std::set<std::size_t>& wanted, const Visitor& visit) {
    oci::VisitWatch watch;
    const Visitor note_done = [&](std::size_t index, std::unique_ptr<net::ByteStream> layer) {
      return visit_one(index, std::move(layer), visit, wanted);
    };
    try {
      co_await (*first_.*way)(ctx, wanted, watch.watch(note_done));
    } catch (...) {
      if (!watch.is_sources(std::current_exception())) {
        throw;
      }
      co_return false;
    }
    co_return true;
  }

  Awaitable<void> visit_one(
      std::size_t index,
      std::unique_ptr<net::ByteStream> layer,
      const Visitor& visit,
      std::set<std::size_t>& wanted) {
    co_await visit(index, std::move(layer));
    const oci::Digest& done = diff_ids()[index];
    std::erase_if(wanted, [&](std::size_t other) { return diff_ids()[other] == done; });
  }

  std::unique_ptr<oci::ImageSource> first_;  // null once it has failed
  const std::unique_ptr<oci::ImageSource> second_;
  std::string config_;
};

std::vector<oci::Digest> parse_diff_ids(const ImageDetails& image) {
  std::vector<oci::Digest> diff_ids;
  for (const std::string& text : image.diff_ids) {
    const std::optional<oci::Digest> diff_id = oci::Digest::parse(text);
    if (!diff_id || diff_id->algorithm() != "sha256") {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format("the Docker engine names a layer of image '{}' '{}'", image.id, text));
    }
    diff_ids.push_back(*diff_id);
  }
  return diff_ids;
}

/// How one engine keeps an image, and where.
struct Keeping {
  WantedImage image;
  fs::path root;
  bool is_packed = false;  // as registries have it
  bool is_overlay2 = false;
};

Keeping keeping_of(const EngineInfo& info, const ImageDetails& details) {
  const std::optional<oci::Digest> id = oci::Digest::parse(details.id);
  if (!id) {
    throw Error(
        ErrorCode::corrupt_data, fmt::format("the Docker engine has an image '{}'", details.id));
  }
  Keeping keeping{{*id, parse_diff_ids(details), details.os, details.architecture}, {}};
  keeping.root = info.root_directory;
  keeping.is_packed = info.has_containerd_store || details.is_named_by_manifest;
  keeping.is_overlay2 = !keeping.is_packed && info.storage_driver == "overlay2";
  return keeping;
}

std::unique_ptr<oci::ImageSource> open_storage(const Keeping& keeping, asio::thread_pool& pool) {
  const WantedImage& image = keeping.image;
  if (keeping.is_packed) {
    ContentImage found = load_content_image(content_stores(keeping.root), image);
    return make_content_source(std::move(found), image.diff_ids, pool);
  }
  return make_storage_source(load_stored_image(keeping.root, image.target, image.diff_ids));
}

/// null when the storage is elsewhere, of another kind, unreadable or lacks something.
Awaitable<std::unique_ptr<oci::ImageSource>> find_storage_source(
    DockerClient& client, asio::thread_pool& pool, Keeping keeping) {
  if (!client.endpoint().shares_files() || !keeping.root.is_absolute() ||
      (!keeping.is_packed && !keeping.is_overlay2)) {
    co_return nullptr;
  }
  const auto open = [&] { return open_storage(keeping, pool); };
  try {
    co_return co_await offload(pool, open);
  } catch (const Error&) {
    // It may be another machine's after all, or not ours to read: the export is there for that.
  }
  co_return nullptr;
}

std::unique_ptr<oci::ImageSource> make_any_export_source(
    DockerClient& client, asio::thread_pool& pool, const Keeping& keeping) {
  const WantedImage& image = keeping.image;
  return keeping.is_packed
             ? make_packed_export_source(client, pool, image)
             : make_export_source(client, pool, image.target.to_string(), image.diff_ids);
}

}  // namespace

std::unique_ptr<oci::ImageSource> make_storage_source(StoredImage image) {
  return std::make_unique<StorageSource>(std::move(image));
}

std::unique_ptr<oci::ImageSource> make_fallback_source(
    std::unique_ptr<oci::ImageSource> first, std::unique_ptr<oci::ImageSource> second) {
  return std::make_unique<FallbackSource>(std::move(first), std::move(second));
}

Awaitable<std::unique_ptr<oci::ImageSource>> make_image_source(
    Ctx ctx,
    DockerClient& client,
    asio::thread_pool& pool,
    std::string image,
    ReadingOptions options) {
  const std::optional<ImageDetails> details = co_await client.find_image(ctx, image);
  if (!details) {
    throw Error(ErrorCode::not_found, fmt::format("the Docker engine has no image '{}'", image));
  }
  const Keeping keeping = keeping_of(co_await client.info(ctx), *details);
  std::unique_ptr<oci::ImageSource> exported = make_any_export_source(client, pool, keeping);
  // The engine has to reach this process, at a loopback address.
  if (options.read_config && !keeping.is_packed && client.endpoint().shares_files()) {
    exported =
        make_handover_source(client, pool, *details, std::move(options), std::move(exported));
  }
  std::unique_ptr<oci::ImageSource> stored = co_await find_storage_source(client, pool, keeping);
  if (!stored) {
    co_return exported;
  }
  co_return make_fallback_source(std::move(stored), std::move(exported));
}

Awaitable<std::string> find_config_digest(
    Ctx ctx, DockerClient& client, asio::thread_pool& pool, std::string image) {
  const std::optional<ImageDetails> details = co_await client.find_image(ctx, image);
  if (details && !details->is_named_by_manifest) {
    const EngineInfo info = co_await client.info(ctx);
    if (!info.has_containerd_store) {
      co_return details->id;
    }
  }
  const std::unique_ptr<oci::ImageSource> source =
      co_await make_image_source(ctx, client, pool, std::move(image));
  const std::string config = co_await source->config(ctx);
  co_return oci::Digest::of(config).to_string();
}

Awaitable<std::string> get_image_by_config(
    Ctx ctx, DockerClient& client, asio::thread_pool& pool, std::string config_digest) {
  const std::optional<ImageDetails> image = co_await client.find_image(ctx, config_digest);
  if (image) {
    co_return image->id;
  }
  const std::vector<std::string> ids = co_await client.list_images_of(ctx, config_digest);
  for (const std::string& id : ids) {
    const std::string found = co_await find_config_digest(ctx, client, pool, id);
    if (found == config_digest) {
      co_return id;
    }
  }
  throw Error(
      ErrorCode::not_found, fmt::format("the Docker engine has no image '{}'", config_digest));
}

}  // namespace freshet::engine
