// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/store/build_store.hpp"
#include "freshet/store/database.hpp"
#include "freshet/store/image_store.hpp"
#include "freshet/store/key_file.hpp"
#include "freshet/store/layer_store.hpp"
#include "freshet/store/registry_store.hpp"
#include "freshet/store/sealing.hpp"
#include "freshet/store/sqlite_cache_index.hpp"
#include "freshet/store/stores.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace freshet::store {
namespace {

constexpr auto k_open_patience = std::chrono::seconds(10);
constexpr auto k_open_poll = std::chrono::milliseconds(5);

Error cannot_open(const fs::path& path) {
  return Error(
      ErrorCode::unavailable,
      fmt::format("cannot open '{}': {}", path.string(), std::strerror(errno)));
}

/// Held while a process opens the directory. It makes first starts at one moment agree on one key
/// and one database, and keeps the switch to WAL from failing: SQLite does not wait for that one.
class OpeningLock {
 public:
  explicit OpeningLock(const fs::path& directory)
      : fd_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!fd_.is_open()) {
      throw cannot_open(directory);
    }
    const auto give_up = std::chrono::steady_clock::now() + k_open_patience;
    while (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) {
        throw cannot_open(directory);
      }
      if (std::chrono::steady_clock::now() > give_up) {
        throw Error(
            ErrorCode::unavailable,
            fmt::format("another process has been opening '{}' for too long", directory.string()))
            .with_hint(
                "see which process that is with 'fuser " + directory.string() +
                "', then try again");
      }
      std::this_thread::sleep_for(k_open_poll);
    }
  }

  /// Makes names that were added to the directory survive a power cut.
  void sync() const { ::fsync(fd_.get()); }

 private:
  UniqueFd fd_;
};

void prepare_directory(const fs::path& directory) {
  make_private_directory(directory);
  if (!fs::is_directory(directory)) {
    throw Error(
        ErrorCode::invalid_input, fmt::format("'{}' is not a directory", directory.string()))
        .with_hint("name a directory with --data-dir");
  }
  require_private(directory, "the data directory");
}

/// SQLite gives `-wal` and `-shm` the mode of the database, so only that one has to be made here.
void prepare_database_file(const fs::path& file) {
  // O_EXCL, because closing a second descriptor of an open database would drop SQLite's locks.
  const UniqueFd made(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made.is_open() && errno != EEXIST) {
    throw cannot_open(file);
  }
  require_private(file, "the database");
  require_private(fs::path(file).concat("-wal"), "the database");
  require_private(fs::path(file).concat("-shm"), "the database");
}

std::string load_owner_id(Database& database) {
  const auto find = [](soci::session& session) {
    return select<TextRow>(session, "SELECT value FROM properties WHERE name = 'owner_id'");
  };
  const auto known = database.read(find);
  if (!known.empty()) {
    return known.front();
  }
  return database.write([&](soci::session& session) {
    change(
        session,
        "INSERT INTO properties (name, value) VALUES ('owner_id', :value) ON CONFLICT DO NOTHING",
        make_id());
    return find(session).at(0);
  });
}

class SqliteDataDirectory : public DataDirectory {
 public:
  explicit SqliteDataDirectory(fs::path directory)
      : path_(std::move(directory)),
        database_(path_ / "freshet.db"),
        sealer_(load_or_make_key(path_ / "key")),
        owner_id_(load_owner_id(database_)),
        registries_(database_, sealer_),
        images_(database_),
        builds_(database_),
        layers_(database_),
        cache_index_(database_) {}

  const fs::path& path() const override { return path_; }
  const std::string& owner_id() const override { return owner_id_; }
  RegistryStore& registries() override { return registries_; }
  ImageStore& images() override { return images_; }
  BuildStore& builds() override { return builds_; }
  LayerStore& layers() override { return layers_; }
  CacheIndex& cache_index() override { return cache_index_; }

 private:
  fs::path path_;
  Database database_;
  Sealer sealer_;
  std::string owner_id_;
  SqliteRegistryStore registries_;
  SqliteImageStore images_;
  SqliteBuildStore builds_;
  SqliteLayerStore layers_;
  SqliteCacheIndex cache_index_;
};

/// Absolute, so that error texts stay true after a change of directory; without a slash at its end.
fs::path tidy(const fs::path& directory) {
  fs::path path = fs::absolute(directory).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

std::unique_ptr<DataDirectory> DataDirectory::open(const fs::path& directory) {
  const fs::path path = tidy(directory);
  prepare_directory(path);
  const OpeningLock lock(path);
  prepare_database_file(path / "freshet.db");
  require_private(path / "key", "the sealing key");
  const bool is_first_start = !fs::exists(path / "key");
  auto opened = std::make_unique<SqliteDataDirectory>(path);
  if (is_first_start) {
    lock.sync();
  }
  return opened;
}

}  // namespace freshet::store
