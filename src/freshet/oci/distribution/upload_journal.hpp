// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/oci/digest.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace freshet::oci {

/// What is uploaded where.
struct UploadKey {
  std::string domain;
  std::string repository;
  Digest digest;
};

/// An unfinished upload: where the registry wants it to go on, and how much it confirmed.
struct UnfinishedUpload {
  std::string location;  // path and query; may carry the registry's own signature
  std::uint64_t offset = 0;

  bool operator==(const UnfinishedUpload&) const = default;
};

/// Remembers unfinished uploads of blobs across runs of the program. It is a hint: the registry is
/// asked what it has. Whoever remembers or finds an upload owns it until it forgets it or its
/// program ends; nobody else finds it meanwhile. May block shortly; thread-safe. Never throws.
class UploadJournal {
 public:
  virtual ~UploadJournal() = default;

  virtual std::optional<UnfinishedUpload> find(const UploadKey& key) = 0;
  virtual void remember(const UploadKey& key, const UnfinishedUpload& upload) = 0;
  virtual void forget(const UploadKey& key) = 0;
};

/// One private JSON file an upload in one directory, beside it the lock of its owner. Entries older
/// than a day are dropped, at the start: registries have thrown those uploads away. So are locks
/// of nobody's without an entry.
class FileUploadJournal final : public UploadJournal {
 public:
  /// Makes `directory` when it is missing. Throws what making it throws.
  explicit FileUploadJournal(fs::path directory);

  std::optional<UnfinishedUpload> find(const UploadKey& key) override;
  void remember(const UploadKey& key, const UnfinishedUpload& upload) override;
  void forget(const UploadKey& key) override;

 private:
  bool own(const std::string& name);
  void disown(const std::string& name);
  fs::path file_of(const std::string& name) const { return directory_ / (name + ".json"); }

  fs::path directory_;
  std::mutex mutex_;
  std::map<std::string, FileLock> owned_;  // by name
};

}  // namespace freshet::oci
