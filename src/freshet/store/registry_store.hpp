// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/store/database.hpp"
#include "freshet/store/sealing.hpp"
#include "freshet/store/stores.hpp"

namespace freshet::store {

/// Integrations in SQLite; borrows both arguments.
class SqliteRegistryStore : public RegistryStore {
 public:
  SqliteRegistryStore(Database& database, const Sealer& sealer)
      : database_(database), sealer_(sealer) {}

  std::vector<model::RegistryIntegration> list() override;
  std::optional<model::RegistryIntegration> find(std::string_view name_or_id) override;
  model::RegistryIntegration add(
      model::RegistryIntegration integration, const Secret& password) override;
  void set_default(std::string_view id) override;
  void set_caching(std::string_view id) override;
  void set_prefix(std::string_view id, std::string_view prefix) override;
  void rename(std::string_view id, std::string_view new_name) override;
  void set_credentials(
      std::string_view id, std::string_view username, const Secret& password) override;
  void remove(std::string_view id) override;
  Secret password(std::string_view id) override;

 private:
  Database& database_;
  const Sealer& sealer_;
};

}  // namespace freshet::store
