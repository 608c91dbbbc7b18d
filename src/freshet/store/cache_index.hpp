// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/past_image.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::store {

/// A build that looks for past images.
struct CacheReader {
  std::string platform;  // os/architecture; of others it sees nothing
  /// Empty: a trusted build, which sees what trusted builds left and nothing else. Else the scope
  /// of an untrusted one, which sees that as well as what was left in its own scope.
  std::string trust_scope;
  std::string pipeline;
  std::string branch;
};

/// Names an image of the index; the later it was recorded, the higher.
using ImageNumber = long long;

/// What an image has of the keys that were looked for.
struct ImageOffer {
  std::vector<std::size_t> keys;  // indexes, ascending
  bool is_of_branch = false;  // of the reader's pipeline and branch
  UnixTime created_at{};
};

/// One state of the index, as one reader may see it: images of its platform that it may trust and
/// that a registry was seen to have. No call reads more than it returns, however many images hold a
/// key.
class CacheView {
 public:
  struct KnownKey {
    std::optional<std::chrono::milliseconds> cost;  // when it last really ran
  };

  virtual ~CacheView() = default;

  /// What is known of each key. Called once and first; the other calls name a key by its index
  /// here. No key may be twice in `keys`.
  virtual std::vector<std::optional<KnownKey>> find_keys(
      const std::vector<model::InstructionKey>& keys) = 0;
  /// Images that offer the result of a key, recorded before `before`: at most `limit`, newest
  /// first.
  virtual std::vector<ImageNumber> list_holders(
      std::size_t key, ImageNumber before, std::size_t limit) = 0;
  /// Images of the reader's pipeline and branch: at most `limit`, newest first.
  virtual std::vector<ImageNumber> list_of_branch(std::size_t limit) = 0;
  virtual ImageOffer load_offer(ImageNumber number) = 0;
  /// Its costs are those of its keys, whichever build measured them last.
  virtual model::PastImage load_image(ImageNumber number) = 0;
};

/// The index of past images by what their instructions made. Every change is one transaction.
/// Blocking; thread-safe, and safe with other processes on the same data directory.
class CacheIndex {
 public:
  using Work = std::function<void(CacheView&)>;

  virtual ~CacheIndex() = default;

  /// Records what a successful build left, as the newest image. What is known already of an image
  /// with that id and the same platform and trust stays: copies and instructions are merged, the
  /// rest is that of the new one. The costs in it become those of their keys, unless what is known
  /// was measured later (`created_at`).
  /// Throws invalid_input for a diff id that is no SHA-256 digest.
  virtual void record(const model::PastImage& image) = 0;
  /// A registry was seen to have that copy at `when`, or (nullopt) not to have it. Without any copy
  /// that was seen, an image is offered to nobody. Copies that are not recorded are ignored.
  virtual void set_confirmed(
      std::string_view id, const model::ImageCopy& copy, std::optional<UnixTime> when) = 0;
  /// Removes an image, and the keys that no other one has. Nobody having it is success.
  virtual void forget(std::string_view id) = 0;
  /// Shows what `reader` may see. `work` must not call this index.
  virtual void read(const CacheReader& reader, const Work& work) = 0;
};

}  // namespace freshet::store
