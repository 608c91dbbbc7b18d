// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/upload_journal.hpp"

#include "freshet/base/error.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <vector>

namespace freshet::oci {
namespace json = boost::json;
namespace {

using namespace std::chrono_literals;

constexpr std::size_t k_max_entry = 64UL * 1024;
constexpr auto k_max_age = 24h;

/// A file name: nothing of a repository's name may become a path.
std::string name_of(const UploadKey& key) {
  const std::string text = key.domain + "\n" + key.repository + "\n" + key.digest.to_string();
  return std::string(Digest::of(text).hex());
}

bool is_old(const fs::path& file) {
  std::error_code failure;
  const auto written = fs::last_write_time(file, failure);
  return !failure && fs::file_time_type::clock::now() - written > k_max_age;
}

std::optional<UnfinishedUpload> read_entry(const std::string& text) {
  boost::system::error_code failure;
  const json::value value = json::parse(text, failure);
  if (failure || !value.is_object()) {
    return std::nullopt;
  }
  const json::value* location = value.get_object().if_contains("location");
  const json::value* offset = value.get_object().if_contains("offset");
  const bool is_complete = location != nullptr && location->is_string() && offset != nullptr &&
                           offset->is_int64() && offset->get_int64() >= 0;
  if (!is_complete || !location->get_string().starts_with("/v2/")) {
    return std::nullopt;
  }
  return UnfinishedUpload{
      std::string(location->get_string()), static_cast<std::uint64_t>(offset->get_int64())};
}

std::vector<fs::path> files_in(const fs::path& directory, std::string_view extension) {
  std::vector<fs::path> out;
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, failure)) {
    if (entry.path().extension() == extension) {
      out.push_back(entry.path());
    }
  }
  return out;
}

void drop_old_entries(const fs::path& directory) {
  std::error_code ignored;
  for (const fs::path& file : files_in(directory, ".json")) {
    if (is_old(file)) {
      fs::remove(file, ignored);
    }
  }
}

/// A program that is killed while it writes an entry leaves the half of it under another name.
void drop_torn_entries(const fs::path& directory) {
  std::error_code ignored;
  std::vector<fs::path> torn;
  fs::directory_iterator entry(directory, ignored);
  for (; !ignored && entry != fs::directory_iterator(); entry.increment(ignored)) {
    if (entry->path().stem().extension() == ".json") {
      torn.push_back(entry->path());
    }
  }
  for (const fs::path& file : torn) {
    try {
      if (const auto lock = FileLock::try_acquire(
              fs::path(file).replace_extension().replace_extension(".lock"))) {
        fs::remove(file, ignored);
      }
    } catch (const Error&) {
      continue;  // it stays
    }
  }
}

/// Locks outlive their owner when that one ends before its upload does.
void drop_idle_locks(const fs::path& directory) {
  std::error_code ignored;
  for (const fs::path& file : files_in(directory, ".lock")) {
    if (fs::exists(fs::path(file).replace_extension(".json"), ignored)) {
      continue;
    }
    try {
      if (const auto lock = FileLock::try_acquire(file)) {
        fs::remove(file, ignored);
      }
    } catch (const Error&) {
      continue;  // it stays
    }
  }
}

}  // namespace

FileUploadJournal::FileUploadJournal(fs::path directory) : directory_(std::move(directory)) {
  make_private_directory(directory_);
  drop_old_entries(directory_);
  drop_torn_entries(directory_);
  drop_idle_locks(directory_);
}

bool FileUploadJournal::own(const std::string& name) {
  auto lock = FileLock::try_acquire(directory_ / (name + ".lock"));
  if (lock) {
    owned_.insert_or_assign(name, std::move(*lock));
  }
  return lock.has_value();
}

void FileUploadJournal::disown(const std::string& name) {
  const auto owned = owned_.find(name);
  if (owned != owned_.end()) {
    std::error_code ignored;
    fs::remove(directory_ / (name + ".lock"), ignored);  // while it is held
    owned_.erase(owned);
  }
}

std::optional<UnfinishedUpload> FileUploadJournal::find(const UploadKey& key) {
  const std::lock_guard guard(mutex_);
  const std::string name = name_of(key);
  if (owned_.contains(name)) {
    return std::nullopt;  // somebody in this program is at it
  }
  try {
    if (!fs::exists(file_of(name)) || is_old(file_of(name)) || !own(name)) {
      return std::nullopt;
    }
    auto entry = read_entry(load_file(file_of(name), k_max_entry));
    if (!entry) {
      disown(name);
    }
    return entry;
  } catch (const std::exception&) {
    disown(name);
    return std::nullopt;
  }
}

void FileUploadJournal::remember(const UploadKey& key, const UnfinishedUpload& upload) {
  const std::lock_guard guard(mutex_);
  const std::string name = name_of(key);
  try {
    if (!owned_.contains(name) && !own(name)) {
      return;
    }
    const json::object entry{
        {"location", upload.location}, {"offset", static_cast<std::int64_t>(upload.offset)}};
    replace_private_file(file_of(name), json::serialize(entry));
  } catch (const std::exception&) {
    return;  // the upload goes on without being remembered
  }
}

void FileUploadJournal::forget(const UploadKey& key) {
  const std::lock_guard guard(mutex_);
  const std::string name = name_of(key);
  if (!owned_.contains(name)) {
    return;
  }
  std::error_code ignored;
  fs::remove(file_of(name), ignored);
  disown(name);
}

}  // namespace freshet::oci
