// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/upload_journal.hpp"

#include "freshet/base/error.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>

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

void drop_old_entries(const fs::path& directory) {
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, failure)) {
    if (entry.path().extension() == ".json" && is_old(entry.path())) {
      fs::remove(entry.path(), failure);
    }
  }
}

}  // namespace

FileUploadJournal::FileUploadJournal(fs::path directory) : directory_(std::move(directory)) {
  make_private_directory(directory_);
  drop_old_entries(directory_);
}

bool FileUploadJournal::own(const std::string& name) {
  auto lock = FileLock::try_acquire(directory_ / (name + ".lock"));
  if (lock) {
    owned_.insert_or_assign(name, std::move(*lock));
  }
  return lock.has_value();
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
      owned_.erase(name);
    }
    return entry;
  } catch (const std::exception&) {
    owned_.erase(name);
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
  const auto owned = owned_.find(name);
  if (owned == owned_.end()) {
    return;
  }
  std::error_code ignored;
  fs::remove(file_of(name), ignored);
  fs::remove(directory_ / (name + ".lock"), ignored);
  owned_.erase(owned);
}

}  // namespace freshet::oci
