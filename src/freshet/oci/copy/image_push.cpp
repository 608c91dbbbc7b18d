// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/image_push.hpp"

#include "freshet/oci/copy/image_manifest.hpp"
#include "freshet/oci/copy/kept_manifest.hpp"
#include "freshet/oci/copy/layer_choices.hpp"
#include "freshet/oci/copy/layer_crew.hpp"
#include "freshet/oci/copy/layer_hints.hpp"
#include "freshet/oci/copy/layer_upload.hpp"
#include "freshet/oci/copy/parallel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace freshet::oci {
namespace {

constexpr int k_max_visits = 4;  // of the layers that are still missing
constexpr std::size_t k_kept_of_all = 6UL * 1024 * 1024;  // for uploads that break

/// To be the only one who uploads a layer.
struct LayerTurn {
  Turns::Turn turn;
  UploadLocks::Taken lock;
};

/// A layer that the image has, perhaps more than once.
struct Layer {
  Digest diff_id;
  std::size_t index = 0;  // the lowest
  std::vector<KnownLayer> known;
  std::optional<Descriptor> blob;  // at the target
  std::optional<Descriptor> kept;  // as the image's own manifest has it
  std::optional<LayerTurn> turn;  // until it is uploaded
};

class ImagePush {
 public:
  ImagePush(Errand& errand, ImageSource& image, std::vector<std::string> tags, PushOptions options)
      : errand_(errand), image_(image), tags_(std::move(tags)), options_(std::move(options)) {}

  Awaitable<Descriptor> run() {
    const std::optional<Manifest> own = co_await image_.manifest(errand_.ctx());
    kept_ = find_kept_manifest(own, image_.diff_ids(), options_);
    co_await list_layers();
    if (are_all_known()) {
      co_await load_config();
      const std::optional<Descriptor> complete = co_await find_complete();
      if (complete) {
        co_return *complete;
      }
    }
    co_await find_layers_at_target();
    co_await upload_rest();
    // Last, for some sources have it only after the layers were read.
    co_await load_config();
    co_await bring_config();
    const Manifest manifest = make_manifest();
    co_await errand_.put(manifest, tags_);
    co_return manifest.descriptor;
  }

 private:
  Awaitable<void> list_layers() {
    std::set<Digest> seen;
    for (std::size_t index = 0; index < image_.diff_ids().size(); ++index) {
      const Digest& diff_id = image_.diff_ids()[index];
      if (seen.insert(diff_id).second) {
        layers_.push_back({diff_id, index, {}, std::nullopt, std::nullopt, std::nullopt});
        co_await find_known(layers_.back());
      }
    }
  }

  Awaitable<void> find_known(Layer& layer) {
    layer.known = co_await find_layers(errand_, layer.diff_id);
    if (kept_) {
      layer.kept = kept_->layers[layer.index];
      std::erase_if(layer.known, [&](const KnownLayer& known) {
        return known.blob.digest != layer.kept->digest;
      });
    }
  }

  Awaitable<void> load_config() {
    if (!config_.empty()) {
      co_return;
    }
    config_ = co_await image_.config(errand_.ctx());
    if (diff_ids_of(config_) != image_.diff_ids()) {
      throw Error(
          ErrorCode::corrupt_data,
          "the image's configuration names other layers than the image has");
    }
    if (kept_ && kept_->config != Digest::of(config_)) {
      throw Error(
          ErrorCode::corrupt_data, "the image's manifest names another configuration than it has");
    }
  }

  Descriptor config_blob() const { return Descriptor{"", Digest::of(config_), config_.size()}; }

  Manifest make_manifest() const {
    if (kept_) {
      return kept_->manifest;
    }
    std::vector<Descriptor> blobs;
    for (const Digest& diff_id : image_.diff_ids()) {
      for (const Layer& layer : layers_) {
        if (layer.diff_id == diff_id) {
          blobs.push_back(layer.blob.value());
        }
      }
    }
    return make_image_manifest(config_blob(), blobs);
  }

  /// Whether each layer is remembered to be at the target; notes them as if they were.
  bool are_all_known() {
    for (Layer& layer : layers_) {
      const auto own = own_layer(layer.known, errand_.target(), options_);
      if (!own) {
        return false;
      }
      layer.blob = own->blob;
    }
    return true;
  }

  /// If the image was pushed here before, its manifest alone tells that all of it is there.
  Awaitable<std::optional<Descriptor>> find_complete() {
    const Manifest manifest = make_manifest();
    const bool is_there = co_await is_at_target(manifest.descriptor.digest);
    if (!is_there) {
      co_return std::nullopt;
    }
    errand_.counts().blobs_present = static_cast<int>(layers_.size()) + 1;
    errand_.say(manifest.descriptor.digest, "already there, with all its layers");
    if (!tags_.empty()) {
      co_await errand_.put(manifest, tags_);
    }
    co_return manifest.descriptor;
  }

  /// Leaves in `tags_` those to put.
  Awaitable<bool> is_at_target(Digest digest) {
    const std::size_t all = tags_.size();
    TagsToMove rest = co_await errand_.tags_to_move(tags_, digest);
    bool is_there = rest.tags.size() < all;
    if (!is_there) {
      const Place& target = errand_.target();
      const auto found = co_await target.registry->find_manifest(
          errand_.ctx(), target.repository, digest.to_string());
      is_there = found.has_value();
    }
    if (is_there) {
      tags_ = std::move(rest.tags);
    }
    co_return is_there;
  }

  /// Those that do not have to be read from the image.
  Awaitable<void> find_layers_at_target() {
    const auto find = [&](std::size_t index) { return find_layer(layers_[index]); };
    co_await for_each_at_once(layers_.size(), Errand::k_at_once, find);
  }

  Awaitable<void> bring_config() {
    WantedBlob wanted{config_blob()};
    wanted.bytes = config_;
    co_await errand_.bring(std::move(wanted));
  }

  Awaitable<void> find_layer(Layer& layer) {
    layer.blob.reset();
    const Place& target = errand_.target();
    std::vector<KnownLayer> known = layer.known;
    if (layer.kept && known.empty()) {
      known.push_back({layer.diff_id, *layer.kept, "", ""});  // it may be there all the same
    }
    for (const WantedBlob& choice : choices_for(known, target, options_)) {
      const bool is_there = co_await errand_.bring_if_had(choice);
      if (is_there) {
        layer.blob = choice.blob;
        co_await remember(layer);
        co_return;
      }
    }
    if (const auto gone = own_layer(layer.known, target, options_)) {
      const auto forget = [&] { errand_.state().memory.forget(*gone); };
      co_await offload(errand_.state().pool, forget);
    }
  }

  Awaitable<void> remember(const Layer& layer) {
    const Place& target = errand_.target();
    std::vector<KnownLayer> layers;
    layers.push_back(
        {layer.diff_id, layer.blob.value(), target.registry->domain(), target.repository});
    co_await remember_layers(errand_, std::move(layers));
  }

  std::set<std::size_t> missing() const {
    std::set<std::size_t> indexes;
    for (const Layer& layer : layers_) {
      if (!layer.blob) {
        indexes.insert(layer.index);
      }
    }
    return indexes;
  }

  Awaitable<void> upload_rest() {
    co_await take_turns();
    int visits = 0;
    for (auto wanted = missing(); !wanted.empty(); wanted = missing()) {
      const bool was_last = ++visits == k_max_visits;
      const bool is_done = co_await visit(std::move(wanted));
      if (!is_done && was_last) {
        throw Error(
            ErrorCode::unavailable,
            fmt::format(
                "uploads of layers to '{}' broke off {} times", errand_.target().name(), visits));
      }
    }
  }

  /// Nobody else shall upload the same layers meanwhile. In one order for all: no two pushes can
  /// wait for each other.
  Awaitable<void> take_turns() {
    std::map<Digest, Layer*> wanted;
    for (Layer& layer : layers_) {
      if (!layer.blob) {
        wanted.emplace(layer.diff_id, &layer);
      }
    }
    bool has_waited = false;
    for (auto& [diff_id, layer] : wanted) {
      const std::string name =
          fmt::format("{} layer {}", errand_.target().name(), diff_id.to_string());
      Turns::Turn turn = co_await errand_.state().blobs.take(name);
      UploadLocks::Taken lock = co_await errand_.lock(name, diff_id);
      // Whoever was waited for may have finished with the layers that follow as well.
      has_waited = has_waited || lock.has_waited;
      co_await take_from_others(*layer, has_waited);
      if (!layer->blob) {
        layer->turn.emplace(LayerTurn{std::move(turn), std::move(lock)});
      }
    }
  }

  /// Another push may have uploaded the layer while this one waited; `has_waited`: perhaps one of
  /// another program, and the registry has to be asked.
  Awaitable<void> take_from_others(Layer& layer, bool has_waited) {
    const Place& target = errand_.target();
    co_await find_known(layer);
    const auto own = own_layer(layer.known, target, options_);
    const bool is_asked_for =
        own && (has_waited || errand_.state().known.has(
                                  target.registry->domain(), target.repository, own->blob.digest));
    if (!is_asked_for) {
      co_return;
    }
    WantedBlob wanted{own->blob};
    const bool is_there = co_await errand_.bring_if_had(std::move(wanted));
    if (is_there) {
      layer.blob = own->blob;
    }
  }

  /// False when an upload broke off in a way that needs its layer again.
  Awaitable<bool> visit(std::set<std::size_t> wanted) {
    const std::size_t at_once = std::min(wanted.size(), MoverState::k_layers_at_once);
    kept_of_each_ = std::min(LayerUpload::k_kept_bytes, k_kept_of_all / at_once);
    LayerCrew crew(at_once, [this](std::size_t index, std::unique_ptr<net::ByteStream> layer) {
      return upload(index, std::move(layer));
    });
    const auto visits = [&](const ImageSource::Visitor& visitor) {
      return kept_ ? image_.visit_blobs(errand_.ctx(), wanted, visitor)
                   : image_.visit_layers(errand_.ctx(), wanted, visitor);
    };
    const bool is_done = co_await crew.run(visits);
    if (is_done && !missing().empty()) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format("{} did not give all layers of the image", image_.name()));
    }
    co_return is_done;
  }

  Layer& layer_at(std::size_t index) {
    for (Layer& layer : layers_) {
      if (layer.index == index) {
        return layer;
      }
    }
    throw Error(ErrorCode::internal, fmt::format("layer {} was not asked for", index));
  }

  Awaitable<void> upload(std::size_t index, std::unique_ptr<net::ByteStream> bytes) {
    Layer& layer = layer_at(index);
    if (layer.kept) {
      LayerUpload source(std::move(bytes), layer.kept, kept_of_each_);
      const Descriptor sent = co_await send(layer, source);
      co_await note(layer, sent, *layer.kept);
      co_return;
    }
    MoverState& state = errand_.state();
    const auto slot = co_await state.compressions.take("");
    std::unique_ptr<CompressingStream> stream =
        compress(std::move(bytes), options_.compression, state.pool, layer.diff_id, state.blocks);
    const CompressingStream& compressed = *stream;
    LayerUpload source(std::move(stream), std::nullopt, kept_of_each_);
    const Descriptor sent = co_await send(layer, source);
    co_await note(layer, sent, compressed.result().blob);
  }

  Awaitable<Descriptor> send(const Layer& layer, LayerUpload& source) {
    const Place& target = errand_.target();
    co_return co_await in_context(
        fmt::format("uploading layer '{}' to '{}'", layer.diff_id.to_string(), target.name()),
        target.registry->push_blob(errand_.ctx(), target.repository, source));
  }

  Awaitable<void> note(Layer& layer, Descriptor sent, Descriptor made) {
    if (sent.digest != made.digest || sent.size_bytes != made.size_bytes) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format(
              "layer '{}' became '{}' on its way to '{}'",
              made.digest.to_string(),
              sent.digest.to_string(),
              errand_.target().name()));
    }
    layer.blob = made;
    errand_.note_uploaded(made);
    co_await remember(layer);
    layer.turn.reset();  // those who wait for it need not wait for the rest
  }

  Errand& errand_;
  ImageSource& image_;
  std::vector<std::string> tags_;
  PushOptions options_;
  std::optional<KeptManifest> kept_;  // to push the image as it is
  std::size_t kept_of_each_ = 0;  // bytes of a layer, for its upload
  std::string config_;
  std::vector<Layer> layers_;  // distinct
};

}  // namespace

Awaitable<Descriptor> push_image(
    Errand& errand, ImageSource& image, std::vector<std::string> tags, PushOptions options) {
  ImagePush push(errand, image, std::move(tags), std::move(options));
  co_return co_await push.run();
}

}  // namespace freshet::oci
