// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/content_store.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/docker/image_layers.hpp"
#include "freshet/engine/docker/image_store.hpp"
#include "freshet/oci/layers/decompression.hpp"
#include "freshet/oci/layers/produced_stream.hpp"
#include "freshet/oci/layers/verified_stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace freshet::engine {
namespace {

constexpr std::string_view k_what = "the engine's storage";

fs::path path_of(const fs::path& blobs, const oci::Digest& digest) {
  if (digest.algorithm() != "sha256") {
    throw Error(
        ErrorCode::unsupported, fmt::format("the engine names content '{}'", digest.to_string()));
  }
  return blobs / digest.hex();
}

UniqueFd open_blob(const fs::path& path, std::uint64_t size_bytes) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open()) {
    throw engine_file_error(path.native());
  }
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::uint64_t>(status.st_size) != size_bytes) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "the engine's file '{}' does not have {} bytes",
            printable(path.native(), 256),
            size_bytes));
  }
  return file;
}

void copy_blob(const fs::path& path, std::uint64_t size_bytes, oci::ProducerSink& sink) {
  const UniqueFd file = open_blob(path, size_bytes);
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  for (;;) {
    const std::span<char> space = sink.space();
    const ssize_t count = ::read(file.get(), space.data(), space.size());
    if (count == 0) {
      return;
    }
    if (count > 0) {
      sink.commit(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw engine_file_error(path.native());
    }
  }
}

std::optional<std::string> load_if_there(const fs::path& path) {
  try {
    return load_file(path, k_max_json_blob_bytes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) {
      throw;
    }
  }
  return std::nullopt;
}

ContentImage load_from(const fs::path& store, const WantedImage& wanted) {
  const fs::path blobs = store / "blobs/sha256";
  const auto load = [&](const oci::Digest& digest) {
    return load_if_there(path_of(blobs, digest));
  };
  std::optional<PackedImage> image = find_packed_image(load, wanted);
  if (!image) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("{} lacks image '{}'", k_what, wanted.target.to_string()));
  }
  for (const oci::Descriptor& layer : image->layers) {
    open_blob(path_of(blobs, layer.digest), layer.size_bytes);
  }
  return {blobs, std::move(*image)};
}

class ContentSource final : public oci::ImageSource {
 public:
  ContentSource(ContentImage image, std::vector<oci::Digest> diff_ids, asio::thread_pool& pool)
      : image_(std::move(image)), diff_ids_(std::move(diff_ids)), pool_(pool) {}

  const std::vector<oci::Digest>& diff_ids() const override { return diff_ids_; }
  std::string_view name() const override { return "storage of the engine"; }
  Awaitable<std::string> config(Ctx) override { co_return image_.image.config; }
  Awaitable<std::optional<oci::Manifest>> manifest(Ctx) override {
    co_return image_.image.manifest;
  }

  Awaitable<void> visit_blobs(Ctx, std::set<std::size_t> wanted, Visitor visit) override {
    const VisitOne visit_one = [&](std::size_t index) { return visit(index, blob(index)); };
    co_await visit_stored(first_of_equal(diff_ids_, wanted), visit_one);
  }

  Awaitable<void> visit_layers(Ctx, std::set<std::size_t> wanted, Visitor visit) override {
    const VisitOne visit_one = [&](std::size_t index) {
      std::unique_ptr<net::ByteStream> tar = oci::decompress(blob(index), pool_);
      return visit(index, oci::verified(std::move(tar), diff_ids_[index], std::string(k_what)));
    };
    co_await visit_stored(first_of_equal(diff_ids_, wanted), visit_one);
  }

 private:
  std::unique_ptr<net::ByteStream> blob(std::size_t index) const {
    const oci::Descriptor& layer = image_.image.layers[index];
    const auto produce = [path = path_of(image_.blobs, layer.digest),
                          size_bytes = layer.size_bytes](oci::ProducerSink& sink) {
      copy_blob(path, size_bytes, sink);
    };
    return oci::make_produced_stream(produce, layer.digest, std::string(k_what));
  }

  const ContentImage image_;
  const std::vector<oci::Digest> diff_ids_;
  asio::thread_pool& pool_;
};

}  // namespace

std::vector<fs::path> content_stores(const fs::path& engine_root) {
  constexpr std::string_view k_store = "io.containerd.content.v1.content";
  return {
      engine_root / "containerd/daemon" / k_store,
      fs::path("/var/lib/containerd") / k_store,
  };
}

ContentImage load_content_image(const std::vector<fs::path>& stores, const WantedImage& wanted) {
  std::optional<Error> failure;
  for (const fs::path& store : stores) {
    try {
      return load_from(store, wanted);
    } catch (const Error& error) {
      failure = failure ? failure : error;
    }
  }
  throw failure ? *failure : Error(ErrorCode::not_found, "the engine has no content store here");
}

std::unique_ptr<oci::ImageSource> make_content_source(
    ContentImage image, std::vector<oci::Digest> diff_ids, asio::thread_pool& pool) {
  return std::make_unique<ContentSource>(std::move(image), std::move(diff_ids), pool);
}

}  // namespace freshet::engine
