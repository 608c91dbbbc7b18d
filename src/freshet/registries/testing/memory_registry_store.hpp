// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/store/stores.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace freshet::registries::testing {

/// A RegistryStore in memory with the rules of the real one.
class MemoryRegistryStore final : public store::RegistryStore {
 public:
  std::vector<model::RegistryIntegration> list() override { return rows_; }

  std::optional<model::RegistryIntegration> find(std::string_view name_or_id) override {
    for (const auto member : {&model::RegistryIntegration::name, &model::RegistryIntegration::id}) {
      const auto found = std::ranges::find(rows_, name_or_id, member);
      if (found != rows_.end()) {
        return *found;
      }
    }
    return std::nullopt;
  }

  model::RegistryIntegration add(model::RegistryIntegration row, const Secret& password) override {
    require_free(row.name);
    row.id = "id" + std::to_string(++last_id_);
    row.created_at = UnixTime(std::chrono::milliseconds(last_id_));
    row.is_primary =
        std::ranges::none_of(rows_, [&](const auto& other) { return other.domain == row.domain; });
    rows_.push_back(row);
    passwords_[row.id] = password;
    if (row.is_default) {
      set_default(row.id);
    }
    if (row.is_caching) {
      set_caching(row.id);
    }
    return row;
  }

  void set_default(std::string_view id) override {
    move_role(id, &model::RegistryIntegration::is_default);
  }
  void set_caching(std::string_view id) override {
    move_role(id, &model::RegistryIntegration::is_caching);
  }

  void set_prefix(std::string_view id, std::string_view prefix) override {
    row(id).repository_prefix = prefix;
  }

  void rename(std::string_view id, std::string_view new_name) override {
    require_free(new_name);
    row(id).name = new_name;
  }

  void set_credentials(
      std::string_view id, std::string_view username, const Secret& password) override {
    row(id).username = username;
    passwords_[std::string(id)] = password;
  }

  void remove(std::string_view id) override {
    const model::RegistryIntegration gone = row(id);
    std::erase_if(rows_, [&](const auto& other) { return other.id == gone.id; });
    passwords_.erase(gone.id);
    const auto heir = std::ranges::find(rows_, gone.domain, &model::RegistryIntegration::domain);
    if (gone.is_primary && heir != rows_.end()) {
      heir->is_primary = true;
    }
  }

  Secret password(std::string_view id) override { return passwords_.at(row(id).id); }

 private:
  model::RegistryIntegration& row(std::string_view id) {
    const auto found = std::ranges::find(rows_, id, &model::RegistryIntegration::id);
    if (found == rows_.end()) {
      throw Error(ErrorCode::not_found, "no such integration");
    }
    return *found;
  }

  void require_free(std::string_view name) const {
    if (std::ranges::find(rows_, name, &model::RegistryIntegration::name) != rows_.end()) {
      throw Error(ErrorCode::conflict, "the name is taken");
    }
  }

  void move_role(std::string_view id, bool model::RegistryIntegration::*role) {
    const std::string to = row(id).id;
    for (model::RegistryIntegration& other : rows_) {
      other.*role = other.id == to;
    }
  }

  int last_id_ = 0;
  std::vector<model::RegistryIntegration> rows_;  // oldest first
  std::map<std::string, Secret> passwords_;  // by id
};

}  // namespace freshet::registries::testing
