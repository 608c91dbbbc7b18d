// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_sources.hpp"

#include "freshet/engine/docker/image_export.hpp"
#include "freshet/engine/docker/image_handover.hpp"
#include "freshet/engine/docker/image_layers.hpp"

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
    const std::map<oci::Digest, std::size_t> first = first_of_equal(diff_ids_, wanted);
    for (const std::size_t index : wanted) {
      const StoredLayer& layer = image_.layers[index];
      if (first.at(layer.diff_id) != index) {
        continue;
      }
      const auto produce = [&layer](oci::ProducerSink& sink) { write_archive(layer, sink); };
      std::unique_ptr<net::ByteStream> tar =
          oci::make_produced_stream(produce, layer.diff_id, "the engine's storage");
      co_await visit(index, std::move(tar));
    }
  }

 private:
  const StoredImage image_;
  std::vector<oci::Digest> diff_ids_;
};

/// Notes that a stream failed by its own fault.
class WatchedStream final : public net::ByteStream {
 public:
  WatchedStream(std::unique_ptr<net::ByteStream> stream, bool& has_failed)
      : stream_(std::move(stream)), has_failed_(has_failed) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    try {
      co_return co_await stream_->read(buffer);
    } catch (const Error&) {
      has_failed_ = true;
      throw;
    }
  }

 private:
  const std::unique_ptr<net::ByteStream> stream_;
  bool& has_failed_;
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

  Awaitable<void> visit_layers(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override {
    if (first_) {
      co_await config(ctx);  // while it is cheap
      const bool is_done = co_await visit_first(ctx, wanted, visit);
      if (is_done) {
        co_return;
      }
      first_.reset();
    }
    co_await second_->visit_layers(ctx, std::move(wanted), std::move(visit));
  }

 private:
  /// Takes what it has done out of `wanted`; false when the source itself failed.
  Awaitable<bool> visit_first(Ctx ctx, std::set<std::size_t>& wanted, const Visitor& visit) {
    bool is_in_visit = false;
    bool has_failed = false;
    const Visitor watch = [&](std::size_t index, std::unique_ptr<net::ByteStream> tar) {
      return visit_one(index, std::move(tar), visit, wanted, is_in_visit, has_failed);
    };
    try {
      co_await first_->visit_layers(ctx, wanted, watch);
    } catch (...) {
      if (!has_failed && is_in_visit) {
        throw;  // the visitor's own
      }
      has_failed = has_failed || is_error(std::current_exception());
      if (!has_failed) {
        throw;
      }
    }
    co_return !has_failed;
  }

  static bool is_error(const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error&) {
      return true;
    } catch (...) {
      return false;
    }
  }

  Awaitable<void> visit_one(
      std::size_t index,
      std::unique_ptr<net::ByteStream> tar,
      const Visitor& visit,
      std::set<std::size_t>& wanted,
      bool& is_in_visit,
      bool& has_failed) {
    is_in_visit = true;
    std::unique_ptr<net::ByteStream> watched =
        std::make_unique<WatchedStream>(std::move(tar), has_failed);
    co_await visit(index, std::move(watched));
    is_in_visit = false;
    if (!has_failed) {
      const oci::Digest& done = diff_ids()[index];
      std::erase_if(wanted, [&](std::size_t other) { return diff_ids()[other] == done; });
    }
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

/// null when the storage is elsewhere, of another kind, unreadable or lacks something.
Awaitable<std::unique_ptr<oci::ImageSource>> find_storage_source(
    Ctx ctx,
    DockerClient& client,
    asio::thread_pool& pool,
    std::string image_id,
    std::vector<oci::Digest> diff_ids) {
  const std::optional<oci::Digest> id = oci::Digest::parse(image_id);
  if (!id || !client.endpoint().shares_files()) {
    co_return nullptr;
  }
  const EngineInfo info = co_await client.info(ctx);
  const fs::path root = info.root_directory;
  if (info.storage_driver != "overlay2" || !root.is_absolute()) {
    co_return nullptr;
  }
  const auto load = [&] { return load_stored_image(root, *id, diff_ids); };
  try {
    co_return make_storage_source(co_await offload(pool, load));
  } catch (const Error&) {
    // It may be another machine's after all, or not ours to read: the export is there for that.
  }
  co_return nullptr;
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
  const std::vector<oci::Digest> diff_ids = parse_diff_ids(*details);
  std::unique_ptr<oci::ImageSource> exported =
      make_export_source(client, pool, details->id, diff_ids);
  // The engine has to reach this process, at a loopback address.
  if (options.read_config && client.endpoint().shares_files()) {
    exported =
        make_handover_source(client, pool, *details, std::move(options), std::move(exported));
  }
  std::unique_ptr<oci::ImageSource> stored =
      co_await find_storage_source(ctx, client, pool, details->id, diff_ids);
  if (!stored) {
    co_return exported;
  }
  co_return make_fallback_source(std::move(stored), std::move(exported));
}

}  // namespace freshet::engine
