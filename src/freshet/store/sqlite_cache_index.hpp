// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/store/cache_index.hpp"
#include "freshet/store/database.hpp"

namespace freshet::store {

/// The index in SQLite; borrows its argument.
class SqliteCacheIndex : public CacheIndex {
 public:
  explicit SqliteCacheIndex(Database& database) : database_(database) {}

  void record(const model::PastImage& image) override;
  void set_confirmed(
      std::string_view id, const model::ImageCopy& copy, std::optional<UnixTime> when) override;
  void forget(std::string_view id) override;
  void read(const CacheReader& reader, const Work& work) override;

 private:
  Database& database_;
};

}  // namespace freshet::store
