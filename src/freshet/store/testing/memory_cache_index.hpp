// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/store/cache_index.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace freshet::store::testing {

/// The index as its contract says it, by looking at every image: slow and easily seen to be right.
class MemoryCacheIndex : public CacheIndex {
 public:
  void record(const model::PastImage& image) override {
    model::PastImage merged = image;
    for (auto place = images_.begin(); place != images_.end();) {
      if (place->second.id == image.id && is_same_scope(place->second, image)) {
        merge(place->second, merged);
        place = images_.erase(place);
      } else {
        ++place;
      }
    }
    for (const auto& instruction : image.instructions) {
      remember_cost(image, instruction);
    }
    images_[next_++] = std::move(merged);
  }

  void set_confirmed(
      std::string_view id, const model::ImageCopy& copy, std::optional<UnixTime> when) override {
    for (auto& [number, image] : images_) {
      for (auto& known : image.copies) {
        if (image.id == id && is_same_place(known, copy)) {
          known.confirmed_at = when;
        }
      }
    }
  }

  void forget(std::string_view id) override {
    std::erase_if(images_, [&](const auto& entry) { return entry.second.id == id; });
    std::erase_if(costs_, [&](const auto& entry) {
      return std::ranges::none_of(images_, [&](const auto& kept) {
        return scope_of(kept.second) == entry.first.first &&
               mentions(kept.second, entry.first.second);
      });
    });
  }

  void read(const CacheReader& reader, const Work& work) override {
    View view(*this, reader);
    work(view);
  }

  /// Every image that `reader` may see, oldest first.
  std::vector<std::pair<ImageNumber, model::PastImage>> visible(const CacheReader& reader) const {
    std::vector<std::pair<ImageNumber, model::PastImage>> out;
    for (const auto& [number, image] : images_) {
      const bool may_trust = image.trust_scope.empty() || image.trust_scope == reader.trust_scope;
      const bool is_there = std::ranges::any_of(
          image.copies, [](const auto& copy) { return copy.confirmed_at.has_value(); });
      if (may_trust && is_there && image.platform == reader.platform) {
        out.emplace_back(number, image);
      }
    }
    return out;
  }

  static bool offers(const model::PastImage& image, const model::InstructionKey& key) {
    return std::ranges::any_of(image.instructions, [&](const auto& instruction) {
      return instruction.is_offered && instruction.key == key;
    });
  }

 private:
  using Scope = std::pair<std::string, std::string>;
  struct Cost {
    std::chrono::milliseconds value{};
    UnixTime measured_at{};
  };

  class View : public CacheView {
   public:
    View(MemoryCacheIndex& index, const CacheReader& reader)
        : index_(index), reader_(reader), visible_(index.visible(reader)) {}

    std::vector<std::optional<KnownKey>> find_keys(
        const std::vector<model::InstructionKey>& keys) override {
      keys_ = keys;
      std::vector<std::optional<KnownKey>> out;
      for (const auto& key : keys) {
        out.push_back(index_.find_key(reader_, key));
      }
      return out;
    }

    std::vector<ImageNumber> list_holders(
        std::size_t key, ImageNumber before, std::size_t limit) override {
      return list(before, limit, [&](const auto& image) { return offers(image, keys_.at(key)); });
    }

    std::vector<ImageNumber> list_of_branch(std::size_t limit) override {
      return list(next_number(), limit, [&](const auto& image) { return is_of_branch(image); });
    }

    ImageOffer load_offer(ImageNumber number) override {
      const model::PastImage& image = index_.images_.at(number);
      ImageOffer out;
      out.is_of_branch = is_of_branch(image);
      out.created_at = image.created_at;
      for (std::size_t key = 0; key < keys_.size(); ++key) {
        if (offers(image, keys_[key])) {
          out.keys.push_back(key);
        }
      }
      return out;
    }

    model::PastImage load_image(ImageNumber number) override {
      model::PastImage image = index_.images_.at(number);
      for (auto& instruction : image.instructions) {
        const auto& known = index_.costs_.at({scope_of(image), instruction.key});
        instruction.cost = known ? std::optional(known->value) : std::nullopt;
      }
      return image;
    }

   private:
    ImageNumber next_number() const { return index_.next_; }

    bool is_of_branch(const model::PastImage& image) const {
      return image.pipeline == reader_.pipeline && image.branch == reader_.branch;
    }

    template <class Predicate>
    std::vector<ImageNumber> list(ImageNumber before, std::size_t limit, Predicate is_wanted) {
      std::vector<ImageNumber> out;
      for (auto place = visible_.rbegin(); place != visible_.rend() && out.size() < limit;
           ++place) {
        if (place->first < before && is_wanted(place->second)) {
          out.push_back(place->first);
        }
      }
      return out;
    }

    MemoryCacheIndex& index_;
    CacheReader reader_;
    std::vector<std::pair<ImageNumber, model::PastImage>> visible_;
    std::vector<model::InstructionKey> keys_;
  };

  static Scope scope_of(const model::PastImage& image) {
    return {image.platform, image.trust_scope};
  }

  static bool is_same_scope(const model::PastImage& one, const model::PastImage& other) {
    return scope_of(one) == scope_of(other);
  }

  static bool is_same_place(const model::ImageCopy& one, const model::ImageCopy& other) {
    return one.registry == other.registry && one.repository == other.repository &&
           one.digest == other.digest;
  }

  static bool mentions(const model::PastImage& image, const model::InstructionKey& key) {
    return std::ranges::any_of(
        image.instructions, [&](const auto& instruction) { return instruction.key == key; });
  }

  static void merge(const model::PastImage& old, model::PastImage& into) {
    for (const auto& copy : old.copies) {
      const auto same = std::ranges::find_if(
          into.copies, [&](const auto& other) { return is_same_place(copy, other); });
      if (same == into.copies.end()) {
        into.copies.push_back(copy);
      } else if (!same->confirmed_at) {
        same->confirmed_at = copy.confirmed_at;
      }
    }
    for (const auto& instruction : old.instructions) {
      const auto same = std::ranges::find_if(into.instructions, [&](const auto& other) {
        return instruction.key == other.key && instruction.diff_id == other.diff_id;
      });
      if (same == into.instructions.end()) {
        into.instructions.push_back(instruction);
      } else {
        same->is_offered = same->is_offered || instruction.is_offered;
      }
    }
  }

  void remember_cost(const model::PastImage& image, const model::PastInstruction& instruction) {
    auto& known = costs_[{scope_of(image), instruction.key}];
    if (instruction.cost && (!known || known->measured_at <= image.created_at)) {
      known = Cost{*instruction.cost, image.created_at};
    }
  }

  std::optional<CacheView::KnownKey> find_key(
      const CacheReader& reader, const model::InstructionKey& key) const {
    std::optional<CacheView::KnownKey> out;
    std::optional<UnixTime> measured_at;
    for (const std::string& trust_scope : {std::string(), reader.trust_scope}) {
      const auto known = costs_.find({{reader.platform, trust_scope}, key});
      if (known == costs_.end()) {
        continue;
      }
      out = out.value_or(CacheView::KnownKey());
      if (known->second && (!measured_at || *measured_at < known->second->measured_at)) {
        out->cost = known->second->value;
        measured_at = known->second->measured_at;
      }
    }
    return out;
  }

  std::map<ImageNumber, model::PastImage> images_;
  std::map<std::pair<Scope, model::InstructionKey>, std::optional<Cost>> costs_;
  ImageNumber next_ = 1;
};

}  // namespace freshet::store::testing
