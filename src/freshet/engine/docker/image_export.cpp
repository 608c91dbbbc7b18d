// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_export.hpp"

#include "freshet/engine/docker/image_layers.hpp"
#include "freshet/engine/docker/image_legacy.hpp"
#include "freshet/engine/docker/image_tar.hpp"
#include "freshet/engine/docker/json_access.hpp"
#include "freshet/oci/layers/decompression.hpp"
#include "freshet/oci/layers/verified_stream.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <map>
#include <optional>

namespace freshet::engine {
namespace {

constexpr std::size_t k_max_json_bytes = 4 * 1024 * 1024;
constexpr std::string_view k_blobs = "blobs/sha256/";
constexpr std::string_view k_legacy_json = "/json";
constexpr std::string_view k_legacy_layer = "/layer.tar";

std::string_view hex_of(std::string_view image_id) {
  return image_id.substr(image_id.find(':') + 1);
}

/// What is looked for in an export and what is known about where it is.
struct Search {
  std::map<std::string, oci::Digest, std::less<>> layer_paths;
  std::string config_path;  // as `manifest.json` says; empty: not known yet
  std::map<oci::Digest, std::size_t> missing;  // layers

  void add_manifest(std::string_view text, const std::vector<oci::Digest>& diff_ids);
};

/// Names the paths that diff ids lead to in one layout or other.
Search make_search(std::map<oci::Digest, std::size_t> missing) {
  Search search;
  for (const auto& [diff_id, index] : missing) {
    search.layer_paths.emplace(std::string(k_blobs) + std::string(diff_id.hex()), diff_id);
    search.layer_paths.emplace(std::string(diff_id.hex()) + ".tar", diff_id);
  }
  search.missing = std::move(missing);
  return search;
}

void Search::add_manifest(std::string_view text, const std::vector<oci::Digest>& diff_ids) {
  json::error_code code;
  const json::value value = json::parse(text, code);
  const json::array& images = as_array(value);
  if (code || images.size() != 1) {
    throw Error(ErrorCode::corrupt_data, "the engine's export does not have just one image");
  }
  const std::vector<std::string> paths = texts_at(as_object(images[0]), "Layers");
  if (paths.size() != diff_ids.size()) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "the engine's export has {} layers where the image has {}",
            paths.size(),
            diff_ids.size()));
  }
  config_path = text_at(as_object(images[0]), "Config");
  for (std::size_t i = 0; i < paths.size(); ++i) {
    layer_paths.emplace(paths[i], diff_ids[i]);
  }
}

class ExportSource final : public oci::ImageSource {
 public:
  ExportSource(
      DockerClient& client,
      asio::thread_pool& pool,
      std::string image_id,
      std::vector<oci::Digest> diff_ids)
      : client_(client),
        pool_(pool),
        image_id_(std::move(image_id)),
        diff_ids_(std::move(diff_ids)),
        chain_ids_(chain_ids(diff_ids_)) {}

  const std::vector<oci::Digest>& diff_ids() const override { return diff_ids_; }
  std::string_view name() const override { return "export by the engine"; }

  Awaitable<std::string> config(Ctx ctx) override {
    if (config_.empty()) {
      Search search;
      co_await find_all(ctx, search, nullptr);
    }
    co_return config_;
  }

  Awaitable<void> visit_layers(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override {
    if (!wanted.empty()) {
      Search search = make_search(first_of_equal(diff_ids_, wanted));
      co_await find_all(ctx, search, &visit);
    }
  }

 private:
  /// Once through the export; a second time, knowing all paths from its end, when that was needed.
  Awaitable<void> find_all(Ctx ctx, Search& search, const Visitor* visit) {
    const std::string frame = fmt::format("reading the export of image '{}'", image_id_);
    co_await in_context(frame, scan(ctx, search, visit));
    if (!is_done(search)) {
      co_await in_context(frame, scan(ctx, search, visit));
    }
    if (!search.missing.empty()) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format(
              "the engine's export of image '{}' lacks layer '{}'",
              image_id_,
              search.missing.begin()->first.to_string()));
    }
    if (config_.empty()) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format("the engine's export of image '{}' lacks its configuration", image_id_));
    }
  }

  bool is_done(const Search& search) const { return search.missing.empty() && !config_.empty(); }

  Awaitable<void> scan(Ctx ctx, Search& search, const Visitor* visit) {
    TarReader archive(co_await client_.export_image(ctx, image_id_));
    while (!is_done(search)) {
      const std::optional<TarMember> member = co_await archive.next();
      if (!member) {
        co_return;
      }
      if (member->is_file) {
        co_await look_at(*member, archive, search, visit);
      }
    }
  }

  Awaitable<void> look_at(
      const TarMember& member, TarReader& archive, Search& search, const Visitor* visit) {
    const auto path = search.layer_paths.find(member.name);
    if (path != search.layer_paths.end()) {
      const auto missing = search.missing.find(path->second);
      if (missing != search.missing.end()) {
        const auto [diff_id, index] = *missing;
        search.missing.erase(missing);
        co_await (*visit)(index, layer_stream(member, archive, diff_id));
      }
    } else if (member.name == "manifest.json") {
      search.add_manifest(co_await archive.read_all(k_max_json_bytes), diff_ids_);
    } else if (may_be_config(member.name, search)) {
      std::string content = co_await archive.read_all(k_max_json_bytes);
      take_config(member.name, std::move(content));
    } else if (member.name.ends_with(k_legacy_json) && !search.missing.empty()) {
      const std::string id = member.name.substr(0, member.name.size() - k_legacy_json.size());
      const std::string content = co_await archive.read_all(k_max_json_bytes);
      if (const auto index = find_legacy_layer(id, content, chain_ids_)) {
        search.layer_paths.emplace(id + std::string(k_legacy_layer), diff_ids_[*index]);
      }
    }
  }

  std::unique_ptr<net::ByteStream> layer_stream(
      const TarMember& member, TarReader& archive, const oci::Digest& diff_id) {
    std::unique_ptr<net::ByteStream> stream = content_of(archive);
    // A blob that is named otherwise than the archive it holds is that archive, compressed.
    if (member.name.starts_with(k_blobs) && !member.name.ends_with(diff_id.hex())) {
      stream = oci::decompress(std::move(stream), pool_);
    }
    return oci::verified(std::move(stream), diff_id, "the engine's export");
  }

  bool may_be_config(std::string_view path, const Search& search) const {
    const std::string_view hex = hex_of(image_id_);
    return config_.empty() &&
           (path == std::string(hex) + ".json" || path == std::string(k_blobs) + std::string(hex) ||
            path == search.config_path);
  }

  /// Engines that name images by their manifests have something else under that name.
  void take_config(std::string_view path, std::string content) {
    std::string_view hex = path.substr(path.rfind('/') + 1);
    hex = hex.substr(0, hex.find('.'));
    if (oci::Digest::of(content).hex() != hex) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format("the engine's export has other content than '{}' says", path));
    }
    if (is_config_of(content, diff_ids_)) {
      config_ = std::move(content);
    }
  }

  DockerClient& client_;
  asio::thread_pool& pool_;
  const std::string image_id_;
  const std::vector<oci::Digest> diff_ids_;
  const std::vector<oci::Digest> chain_ids_;
  std::string config_;  // empty: not seen yet
};

}  // namespace

std::unique_ptr<oci::ImageSource> make_export_source(
    DockerClient& client,
    asio::thread_pool& pool,
    std::string image_id,
    std::vector<oci::Digest> diff_ids) {
  return std::make_unique<ExportSource>(client, pool, std::move(image_id), std::move(diff_ids));
}

}  // namespace freshet::engine
