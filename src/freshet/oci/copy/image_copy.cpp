// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/image_copy.hpp"

#include "freshet/oci/copy/layer_hints.hpp"
#include "freshet/oci/copy/manifest_tree.hpp"
#include "freshet/oci/copy/parallel.hpp"
#include "freshet/oci/copy/platform_choice.hpp"
#include "freshet/oci/copy/referrers.hpp"

#include <fmt/format.h>

namespace freshet::oci {
namespace {

class ImageCopy {
 public:
  ImageCopy(Errand& errand, CopyRequest request) : errand_(errand), request_(std::move(request)) {}

  Awaitable<Descriptor> run() {
    // 1. A tag is looked up once; from here on there are only digests: it may move meanwhile.
    const Digest digest = co_await resolve();
    // 2. Perhaps there is nothing to do.
    co_await look_at_target(digest);
    if (is_done_ && !request_.options.referrers) {
      co_return found_.value();
    }
    // 3. All that the manifest names, then what refers to it, then the manifest.
    co_await read_root(digest);
    const Manifest manifest = root_->manifest;
    if (!is_at_target_ || request_.options.referrers) {
      co_await bring_contents();
    }
    if (!is_done_) {
      co_await errand_.put(manifest, request_.tags);
    }
    co_return manifest.descriptor;
  }

 private:
  bool is_same_place() const { return request_.source.name() == errand_.target().name(); }

  Awaitable<TreeNode> read(Digest digest) { co_return co_await read(digest.to_string()); }
  Awaitable<TreeNode> read(std::string reference) {
    const Place& source = request_.source;
    Manifest manifest = co_await errand_.get_manifest(source, std::move(reference));
    co_return make_node(std::move(manifest), budget_);
  }

  Awaitable<Digest> resolve() {
    if (!request_.options.all_platforms || is_same_place()) {
      // It will have to be read: one request does both.
      co_return co_await resolve_by_reading();
    }
    if (const auto digest = Digest::parse(request_.reference)) {
      co_return *digest;
    }
    const Place& source = request_.source;
    const auto found = co_await source.registry->find_manifest(
        errand_.ctx(), source.repository, request_.reference);
    if (!found) {
      throw Error(
          ErrorCode::not_found,
          fmt::format(
              "'{}' does not have '{}:{}'",
              source.registry->domain(),
              source.repository,
              request_.reference));
    }
    co_return found->digest;
  }

  Awaitable<Digest> resolve_by_reading() {
    TreeNode node = co_await read(request_.reference);
    if (node.parts.kind == ManifestKind::index && !request_.options.all_platforms) {
      co_return entry_for(node.parts, request_.options.platform).descriptor.digest;
    }
    const Digest digest = node.manifest.descriptor.digest;
    root_ = std::move(node);
    co_return digest;
  }

  Awaitable<void> look_at_target(Digest digest) {
    const bool had_tags = !request_.tags.empty();
    const std::size_t all = request_.tags.size();
    TagsToMove tags = co_await errand_.tags_to_move(std::move(request_.tags), digest);
    request_.tags = std::move(tags.tags);
    found_ = tags.found;
    is_done_ = had_tags && request_.tags.empty();
    is_at_target_ = request_.tags.size() < all || is_same_place();
    if (is_at_target_) {
      co_return;
    }
    if (had_tags) {
      // There will be something to write in any case: both at once.
      const auto look = [&](std::size_t which) {
        return which == 0 ? find_at_target(digest) : read_root(digest);
      };
      co_await for_each_at_once(2, 2, look);
      co_return;
    }
    co_await find_at_target(digest);
    is_done_ = is_at_target_;
  }

  Awaitable<void> find_at_target(Digest digest) {
    const Place& target = errand_.target();
    auto work =
        target.registry->find_manifest(errand_.ctx(), target.repository, digest.to_string());
    found_ = co_await errand_.at_target(std::move(work));
    is_at_target_ = found_.has_value();
  }

  Awaitable<void> read_root(Digest digest) {
    if (!root_) {
      root_ = co_await read(digest.to_string());
    }
  }

  Awaitable<void> bring_contents() {
    const Place source = request_.source;
    const bool with_referrers = request_.options.referrers;
    root_->is_at_target = is_at_target_;
    const ManifestTree tree =
        co_await ManifestTree::read(errand_, source, std::move(*root_), with_referrers, budget_);
    co_await bring_tree(tree);
    if (with_referrers && !is_same_place()) {
      std::vector<Digest> subjects;
      for (const auto& [digest, node] : tree.nodes()) {
        subjects.push_back(digest);
      }
      co_await copy_referrers(errand_, source, std::move(subjects), budget_);
    }
  }

  Awaitable<void> bring_tree(const ManifestTree& tree) {
    const Place source = request_.source;
    std::vector<WantedBlob> wanted = tree.wanted_blobs(source, errand_.target());
    std::vector<KnownLayer> layers;
    if (source.registry->domain() != errand_.target().registry->domain()) {
      layers = co_await add_layer_hints(errand_, tree, source, wanted);
    }
    co_await errand_.bring_all(std::move(wanted));
    co_await remember_layers(errand_, std::move(layers));
    co_await put_below_root(errand_, tree);
  }

  Errand& errand_;
  CopyRequest request_;
  ManifestBudget budget_;
  std::optional<TreeNode> root_;  // once read
  std::optional<Descriptor> found_;  // at the target
  bool is_at_target_ = false;  // by digest at least
  bool is_done_ = false;  // under all its tags
};

}  // namespace

Awaitable<Descriptor> copy_image(Errand& errand, CopyRequest request) {
  ImageCopy copy(errand, std::move(request));
  co_return co_await copy.run();
}

}  // namespace freshet::oci
