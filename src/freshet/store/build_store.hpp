// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/store/database.hpp"
#include "freshet/store/stores.hpp"

namespace freshet::store {

/// Build records in SQLite; borrows its argument.
class SqliteBuildStore : public BuildStore {
 public:
  explicit SqliteBuildStore(Database& database) : database_(database) {}

  void add(const model::BuildRecord& build) override;
  void finish(std::string_view id, model::StepResult result, std::string_view reason) override;
  std::optional<model::BuildRecord> find(std::string_view id) override;
  std::vector<model::BuildRecord> list_running() override;

 private:
  Database& database_;
};

}  // namespace freshet::store
