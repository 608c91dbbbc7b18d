// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/store/cache_index.hpp"
#include "freshet/store/prepared.hpp"

#include <soci/session.h>

#include <string_view>
#include <utility>
#include <vector>

namespace freshet::store {

/// Condition of rows of `cache_results`, in the way that their index serves: bind a key and a
/// scope.
inline constexpr std::string_view k_is_of_key =
    "substr(key, 1, 8) = substr(?1, 1, 8) AND key = ?1 AND scope = ?2";

/// Which scopes a reader may see, by their numbers; trusted first.
std::vector<long long> find_scopes(soci::session& session, const CacheReader& reader);

/// Everything recorded of an image. Throws not_found.
model::PastImage load_past_image(soci::session& session, ImageNumber number);

/// The index as one reader sees it, within one transaction.
class SqliteCacheView : public CacheView {
 public:
  SqliteCacheView(soci::session& session, const CacheReader& reader);

  std::vector<std::optional<KnownKey>> find_keys(
      const std::vector<model::InstructionKey>& keys) override;
  std::vector<ImageNumber> list_holders(
      std::size_t key, ImageNumber before, std::size_t limit) override;
  std::vector<ImageNumber> list_of_branch(std::size_t limit) override;
  ImageOffer load_offer(ImageNumber number) override;
  model::PastImage load_image(ImageNumber number) override;

 private:
  struct Result {
    long long number;
    std::size_t key;

    auto operator<=>(const Result&) const = default;
  };

  std::optional<KnownKey> find_key(const model::InstructionKey& key, std::size_t index);

  soci::session& session_;
  std::vector<long long> scopes_;
  std::vector<long long> branches_;  // the reader's, in each of its scopes
  std::vector<Result> results_;  // of the keys that were looked for; ascending
  std::vector<std::vector<long long>> results_of_;  // by index of the key
  Prepared key_;
  Prepared holders_;
  Prepared branch_;
  Prepared offer_;
};

}  // namespace freshet::store
