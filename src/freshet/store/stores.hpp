// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/model/build.hpp"
#include "freshet/model/image.hpp"
#include "freshet/model/known_layer.hpp"
#include "freshet/model/registry.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::store {

class CacheIndex;

/// Integrations. Every change is one transaction and keeps the rules: names unique among all kinds
/// of shared names, at most one default and one caching registry, exactly one primary per domain, a
/// fallback that exists and is another one. Blocking; thread-safe, and safe with other processes on
/// the same data directory.
class RegistryStore {
 public:
  /// Changes a record in place; what it throws undoes the change. It may be called once only, with
  /// the record as it is now.
  using Edit = std::function<void(model::RegistryIntegration&)>;

  virtual ~RegistryStore() = default;

  virtual std::vector<model::RegistryIntegration> list() = 0;  // oldest first
  /// By exact name, else by id.
  virtual std::optional<model::RegistryIntegration> find(std::string_view name_or_id) = 0;
  /// Stores a new integration (id and created_at are set here) with its secrets sealed. A role that
  /// it asks for moves to it; the first of its domain is primary in any case.
  /// Throws conflict when the name is taken; invalid_input when Docker Hub is to be the cache or
  /// the fallback does not exist.
  virtual model::RegistryIntegration add(
      model::RegistryIntegration integration, const model::RegistrySecrets& secrets) = 0;
  /// Applies `edit` to the record and stores the result, and the secrets that are given. Roles that
  /// it takes move to it. Whoever gives up being primary stays it until another one takes the role.
  /// Where the domain changes, the password has to be given again, and the token server is
  /// forgotten; where the proxy changes, the proxy's password is forgotten unless given.
  /// Throws not_found, and what `add` throws; invalid_input for a missing password.
  virtual model::RegistryIntegration update(
      std::string_view id,
      const Edit& edit,
      const model::RegistrySecretChanges& secrets = model::RegistrySecretChanges()) = 0;
  /// Removes it and its secrets; the oldest other integration of its domain becomes primary, and it
  /// is nobody's fallback any more. Throws not_found.
  virtual void remove(std::string_view id) = 0;
  /// Automatic until it is set.
  virtual model::PushMode push_mode() = 0;
  virtual void set_push_mode(model::PushMode mode) = 0;
  /// Unseals. Throws not_found; corrupt_data when a sealed text does not belong to this row or the
  /// key file is another one.
  virtual model::RegistrySecrets secrets(std::string_view id) = 0;
};

/// Which registries have which layers: hints that survive the process. Bounded: the oldest go.
class LayerStore {
 public:
  virtual ~LayerStore() = default;

  /// At most `k_max_found`. Those in `domain`/`repository` first, then those elsewhere in `domain`,
  /// then others; newest first in each.
  virtual std::vector<model::KnownLayer> find(
      std::string_view diff_id, std::string_view domain, std::string_view repository) = 0;
  /// Idempotent; makes it the newest.
  virtual void remember(const model::KnownLayer& layer) = 0;
  virtual void forget(const model::KnownLayer& layer) = 0;

  static constexpr std::size_t k_max_found = 20;
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
  /// one keeps its `id`, and its `repo_digest` and `hash` when the new ones are empty. Tags are
  /// merged. A tag (registry, repository, tag) belongs to one record: others lose it. An empty `id`
  /// is chosen here.
  virtual void put(const model::ImageRecord& record) = 0;
  /// Adds a tag to the record of that image; an empty `repo_digest` leaves the stored one. Throws
  /// not_found.
  virtual void add_tag(
      std::string_view internal_image_id,
      const model::ImageTag& tag,
      std::string_view repo_digest) = 0;
  /// Takes the tag from the record that has it; nobody having it is success. The integration that
  /// `tag` names does not matter.
  virtual void remove_tag(const model::ImageTag& tag) = 0;
  virtual std::vector<model::ImageRecord> list(const ImageFilter& filter) = 0;  // newest first
  /// Those that were built of the same: newest first, at most `k_max_found`.
  virtual std::vector<model::ImageRecord> list_by_hash(std::string_view hash) = 0;
  /// By id, internal image id (or at least 12 characters of its start, with or without `sha256:`),
  /// or pull reference `registry/repository:tag`, or `name:tag`. nullopt when none or several.
  virtual std::optional<model::ImageRecord> find(std::string_view text) = 0;

  static constexpr std::size_t k_max_found = 5;
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
  virtual LayerStore& layers() = 0;
  virtual CacheIndex& cache_index() = 0;
};

}  // namespace freshet::store
