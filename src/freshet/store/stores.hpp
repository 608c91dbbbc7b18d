// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/base/secret.hpp"
#include "freshet/model/build.hpp"
#include "freshet/model/image.hpp"
#include "freshet/model/registry.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::store {

/// Integrations. Every change is one transaction and keeps the rules: unique names, at most one
/// default and one caching registry, exactly one primary per domain. Blocking; thread-safe, and
/// safe with other processes on the same data directory.
class RegistryStore {
 public:
  virtual ~RegistryStore() = default;

  virtual std::vector<model::RegistryIntegration> list() = 0;  // oldest first
  /// By exact name, else by id.
  virtual std::optional<model::RegistryIntegration> find(std::string_view name_or_id) = 0;
  /// Stores a new integration (id, created_at and is_primary are set here: the first of its domain
  /// is primary) with its password sealed. is_default / is_caching move the role to it.
  /// Throws conflict when the name is taken; invalid_input when Docker Hub is to be the cache.
  virtual model::RegistryIntegration add(
      model::RegistryIntegration integration, const Secret& password) = 0;
  /// Throw not_found when `id` is unknown.
  virtual void set_default(std::string_view id) = 0;
  virtual void set_caching(std::string_view id) = 0;  // throws invalid_input for Docker Hub
  virtual void set_prefix(std::string_view id, std::string_view prefix) = 0;
  virtual void rename(std::string_view id, std::string_view new_name) = 0;  // throws conflict
  virtual void set_credentials(
      std::string_view id, std::string_view username, const Secret& password) = 0;
  /// Removes it and its password; the oldest other integration of its domain becomes primary.
  virtual void remove(std::string_view id) = 0;
  /// Unseals. Throws not_found; corrupt_data when the sealed text does not belong to this row or
  /// the key file is another one.
  virtual Secret password(std::string_view id) = 0;
};

struct ImageFilter {
  std::string name;  // substring of the logical name; empty: all
  std::size_t limit = 100;
};

/// Image records.
class ImageStore {
 public:
  virtual ~ImageStore() = default;

  /// Inserts, or replaces everything but `tags` of the record with the same internal image id; that
  /// one keeps its `id`, and its `repo_digest` when the new one is empty. Tags are merged. A tag
  /// (registry, repository, tag) belongs to one record: others lose it. An empty `id` is chosen
  /// here.
  virtual void put(const model::ImageRecord& record) = 0;
  /// Adds a tag to the record of that image; an empty `repo_digest` leaves the stored one. Throws
  /// not_found.
  virtual void add_tag(
      std::string_view internal_image_id,
      const model::ImageTag& tag,
      std::string_view repo_digest) = 0;
  virtual std::vector<model::ImageRecord> list(const ImageFilter& filter) = 0;  // newest first
  /// By id, internal image id (or at least 12 characters of its start, with or without `sha256:`),
  /// or pull reference `registry/repository:tag`, or `name:tag`. nullopt when none or several.
  virtual std::optional<model::ImageRecord> find(std::string_view text) = 0;
};

/// Build records.
class BuildStore {
 public:
  virtual ~BuildStore() = default;

  virtual void add(const model::BuildRecord& build) = 0;  // throws conflict when the id is taken
  /// Ends a running build once; a second call changes nothing. Throws not_found.
  virtual void finish(std::string_view id, model::StepResult result, std::string_view reason) = 0;
  virtual std::optional<model::BuildRecord> find(std::string_view id) = 0;
  virtual std::vector<model::BuildRecord> list_running() = 0;  // oldest first
};

/// The state of one data directory: `freshet.db` (SQLite, WAL) and `key` (the sealing key).
///
/// Opening makes what is missing (directory 0700, files 0600) and migrates the schema.
/// Throws: forbidden when directory, database or key can be read by others or belong to somebody
/// else; conflict when the database was written by a newer Freshet; corrupt_data when it is
/// damaged.
class DataDirectory {
 public:
  static std::unique_ptr<DataDirectory> open(const fs::path& directory);
  virtual ~DataDirectory() = default;

  virtual const fs::path& path() const = 0;
  /// Random, made once: tells the labels of this directory's containers from those of others.
  virtual const std::string& owner_id() const = 0;
  virtual RegistryStore& registries() = 0;
  virtual ImageStore& images() = 0;
  virtual BuildStore& builds() = 0;
};

}  // namespace freshet::store
