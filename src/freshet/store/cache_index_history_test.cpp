// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/cache_index.hpp"
#include "freshet/store/testing/memory_cache_index.hpp"
#include "freshet/store/testing/past_images.hpp"
#include "freshet/store/testing/temp_data_directory.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace freshet::store {
namespace {

using model::PastImage;
using testing::key_of;
using testing::MemoryCacheIndex;

constexpr std::uint8_t k_keys = 24;

/// Does the same to two indexes, at random.
class Changes {
 public:
  Changes(std::uint64_t seed, CacheIndex& one, CacheIndex& other)
      : chance_(seed), indexes_{&one, &other} {}

  void make_one() {
    const std::uint64_t what = below(10);
    const std::string id = fmt::format("image{}", below(12));
    if (what < 6) {
      const PastImage image = random_image(id);
      apply([&](CacheIndex& index) { index.record(image); });
    } else if (what < 9) {
      const auto when = below(2) == 0 ? std::optional(time()) : std::nullopt;
      const model::ImageCopy copy = random_copy();
      apply([&](CacheIndex& index) { index.set_confirmed(id, copy, when); });
    } else {
      apply([&](CacheIndex& index) { index.forget(id); });
    }
  }

  CacheReader random_reader() { return {platform(), trust_scope(), "team/app", branch()}; }

 private:
  template <class Change>
  void apply(Change change) {
    for (CacheIndex* index : indexes_) {
      change(*index);
    }
  }

  std::uint64_t below(std::uint64_t limit) { return chance_() % limit; }
  UnixTime time() { return UnixTime(std::chrono::milliseconds(below(1000))); }
  std::string platform() { return below(4) == 0 ? "linux/arm64" : "linux/amd64"; }
  std::string trust_scope() { return below(2) == 0 ? "" : fmt::format("fork{}", below(2)); }
  std::string branch() { return below(2) == 0 ? "main" : "feature"; }

  model::ImageCopy random_copy() {
    const auto seen = below(3) == 0 ? std::nullopt : std::optional(time());
    return {"registry.example", below(2) == 0 ? "a" : "b", "sha256:1", seen};
  }

  PastImage random_image(const std::string& id) {
    std::vector<std::uint8_t> keys;
    for (std::uint8_t key = 0; key < k_keys; ++key) {
      if (below(3) == 0) {
        keys.push_back(key);
      }
    }
    PastImage image = testing::past_image(id, keys);
    image.platform = platform();
    image.trust_scope = trust_scope();
    image.branch = branch();
    image.created_at = time();
    image.copies = {random_copy()};
    for (auto& instruction : image.instructions) {
      const auto cost = std::chrono::milliseconds(below(1000));
      instruction.cost = below(2) == 0 ? std::optional(cost) : std::nullopt;
      instruction.is_offered = below(4) != 0;
      if (below(8) == 0) {
        instruction.diff_id.clear();  // a second layer of the same key
        instruction.size_bytes = 0;
      }
    }
    return image;
  }

  std::mt19937_64 chance_;
  std::vector<CacheIndex*> indexes_;
};

std::string describe(PastImage image) {
  std::ranges::sort(image.copies, {}, &model::ImageCopy::repository);
  std::ranges::sort(
      image.instructions, {}, [](const auto& each) { return std::pair(each.key, each.diff_id); });
  std::string out = fmt::format(
      "{} {} {} {} {}",
      image.id,
      image.platform,
      image.trust_scope,
      image.branch,
      image.created_at.time_since_epoch().count());
  for (const auto& copy : image.copies) {
    const long long seen = copy.confirmed_at ? copy.confirmed_at->time_since_epoch().count() : -1;
    out += fmt::format(" {}@{}", copy.repository, seen);
  }
  for (const auto& each : image.instructions) {
    const long long cost = each.cost ? each.cost->count() : -1;
    out += fmt::format(
        " {}:{}:{}:{}:{}",
        each.key[0],
        each.diff_id.size(),
        each.size_bytes,
        each.is_offered,
        cost);
  }
  return out + "\n";
}

/// Everything that a reader can learn.
std::string dump(CacheIndex& index, const CacheReader& reader) {
  std::string out;
  index.read(reader, [&](CacheView& view) {
    std::vector<model::InstructionKey> keys;
    for (std::uint8_t key = 0; key <= k_keys; ++key) {
      keys.push_back(key_of(key));
    }
    const auto known = view.find_keys(keys);
    for (std::size_t key = 0; key < keys.size(); ++key) {
      const auto cost = known[key] ? known[key]->cost : std::nullopt;
      out += fmt::format("{}: {} {}", key, known[key].has_value(), cost ? cost->count() : -1);
      ImageNumber before = std::numeric_limits<ImageNumber>::max();
      for (auto piece = view.list_holders(key, before, 3); !piece.empty();
           piece = view.list_holders(key, before, 3)) {
        out += fmt::format(" {}", fmt::join(piece, " "));
        before = piece.back();
      }
      out += "\n";
    }
    for (const ImageNumber number : view.list_of_branch(100)) {
      const ImageOffer offer = view.load_offer(number);
      out += fmt::format("{} {} {}\n", number, offer.is_of_branch, fmt::join(offer.keys, ","));
      out += describe(view.load_image(number));
    }
  });
  return out;
}

TEST(CacheIndexAfterAnyChanges, shows_what_looking_at_all_images_would_show) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    testing::TempDataDirectory directory;
    MemoryCacheIndex expected;
    Changes changes(seed, directory->cache_index(), expected);
    for (int number = 0; number < 60; ++number) {
      changes.make_one();
      const CacheReader reader = changes.random_reader();
      ASSERT_EQ(dump(directory->cache_index(), reader), dump(expected, reader))
          << "seed " << seed << ", change " << number;
    }
  }
}

}  // namespace
}  // namespace freshet::store
