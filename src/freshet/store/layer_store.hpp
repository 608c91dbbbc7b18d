// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/store/database.hpp"
#include "freshet/store/stores.hpp"

namespace freshet::store {

/// Known layers in SQLite; borrows its argument.
class SqliteLayerStore : public LayerStore {
 public:
  explicit SqliteLayerStore(Database& database) : database_(database) {}

  std::vector<model::KnownLayer> find(
      std::string_view diff_id, std::string_view domain, std::string_view repository) override;
  void remember(const model::KnownLayer& layer) override;
  void forget(const model::KnownLayer& layer) override;

 private:
  Database& database_;
};

}  // namespace freshet::store
