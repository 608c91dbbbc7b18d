// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/referrers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace freshet::oci {
namespace {

constexpr int k_max_depth = 4;  // a signature of an attestation of an image is two
// Where cosign keeps what it makes, in registries of every age.
constexpr std::array<std::string_view, 3> k_cosign_suffixes{".sig", ".att", ".sbom"};

class ReferrerCopy {
 public:
  ReferrerCopy(Errand& errand, Place source, ManifestBudget& budget)
      : errand_(errand), source_(std::move(source)), budget_(budget) {}

  Awaitable<void> copy_for_all(std::vector<Digest> subjects) {
    for (const Digest& subject : subjects) {
      seen_.insert(subject);
    }
    for (int depth = 0; !subjects.empty(); ++depth) {
      if (depth > k_max_depth) {
        throw Error(
            ErrorCode::unsupported,
            fmt::format("what refers to the image is nested deeper than {} levels", k_max_depth));
      }
      found_.clear();
      for (const Digest& subject : subjects) {
        co_await copy_for(subject);
      }
      subjects = std::exchange(found_, {});
    }
  }

 private:
  Awaitable<void> copy_for(Digest subject) {
    const Place& target = errand_.target();
    const std::vector<Descriptor> listed =
        co_await source_.registry->list_referrers(errand_.ctx(), source_.repository, subject);
    if (!listed.empty()) {
      const std::vector<Descriptor> there =
          co_await target.registry->list_referrers(errand_.ctx(), target.repository, subject);
      for (const Descriptor& referrer : listed) {
        if (is_new(referrer.digest) && std::ranges::find(there, referrer) == there.end()) {
          co_await copy_listed(referrer.digest, subject);
        }
      }
    }
    for (const std::string_view suffix : k_cosign_suffixes) {
      co_await copy_tag(fmt::format("{}-{}{}", subject.algorithm(), subject.hex(), suffix));
    }
  }

  bool is_new(const Digest& digest) {
    const bool is_new = seen_.insert(digest).second;
    if (is_new) {
      found_.push_back(digest);
      ++errand_.counts().referrers;
    }
    return is_new;
  }

  /// It is written even if the target has it: that is what makes the target list it.
  Awaitable<void> copy_listed(Digest digest, Digest subject) {
    TreeNode root = co_await read(digest);
    const std::optional<Descriptor>& named = root.parts.subject;
    if (!named || named->digest != subject) {
      errand_.say(digest, "is listed as a referrer of another image than it names itself");
    }
    std::vector<std::string> no_tags;
    co_await copy_tree(std::move(root), std::move(no_tags));
  }

  Awaitable<void> copy_tag(std::string tag) {
    const Place& target = errand_.target();
    const auto found =
        co_await source_.registry->find_manifest(errand_.ctx(), source_.repository, tag);
    if (!found) {
      co_return;
    }
    is_new(found->digest);
    const auto there =
        co_await target.registry->find_manifest(errand_.ctx(), target.repository, tag);
    if (!there || there->digest != found->digest) {
      TreeNode root = co_await read(found->digest);
      std::vector<std::string> tags;
      tags.push_back(std::move(tag));
      co_await copy_tree(std::move(root), std::move(tags));
    }
  }

  Awaitable<TreeNode> read(Digest digest) {
    Manifest manifest = co_await errand_.get_manifest(source_, digest.to_string());
    co_return make_node(std::move(manifest), budget_);
  }

  Awaitable<void> copy_tree(TreeNode root, std::vector<std::string> tags) {
    const Manifest manifest = root.manifest;
    const ManifestTree tree =
        co_await ManifestTree::read(errand_, source_, std::move(root), false, budget_);
    co_await errand_.bring_all(tree.wanted_blobs(source_, errand_.target()));
    co_await put_below_root(errand_, tree);
    co_await errand_.put(manifest, std::move(tags));
    errand_.say(manifest.descriptor.digest, "copied as a referrer");
  }

  Errand& errand_;
  Place source_;
  ManifestBudget& budget_;
  std::set<Digest> seen_;
  std::vector<Digest> found_;  // on this level
};

}  // namespace

Awaitable<void> copy_referrers(
    Errand& errand, Place source, std::vector<Digest> subjects, ManifestBudget& budget) {
  ReferrerCopy copy(errand, std::move(source), budget);
  co_await copy.copy_for_all(std::move(subjects));
}

}  // namespace freshet::oci
