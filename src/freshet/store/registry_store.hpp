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
      model::RegistryIntegration integration, const model::RegistrySecrets& secrets) override;
  model::RegistryIntegration update(
      std::string_view id, const Edit& edit, const model::RegistrySecretChanges& secrets) override;
  void remove(std::string_view id) override;
  model::PushMode push_mode() override;
  void set_push_mode(model::PushMode mode) override;
  model::RegistrySecrets secrets(std::string_view id) override;

 private:
  Database& database_;
  const Sealer& sealer_;
};

}  // namespace freshet::store
