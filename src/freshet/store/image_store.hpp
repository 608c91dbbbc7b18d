// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/store/database.hpp"
#include "freshet/store/stores.hpp"

namespace freshet::store {

/// Image records in SQLite; borrows its argument.
class SqliteImageStore : public ImageStore {
 public:
  explicit SqliteImageStore(Database& database) : database_(database) {}

  void put(const model::ImageRecord& record) override;
  void add_tag(
      std::string_view internal_image_id,
      const model::ImageTag& tag,
      std::string_view repo_digest) override;
  void remove_tag(const model::ImageTag& tag) override;
  std::vector<model::ImageRecord> list(const ImageFilter& filter) override;
  std::vector<model::ImageRecord> list_by_hash(std::string_view hash) override;
  std::optional<model::ImageRecord> find(std::string_view text) override;

 private:
  Database& database_;
};

}  // namespace freshet::store
