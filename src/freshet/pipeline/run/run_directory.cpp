// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/run_directory.hpp"

#include "freshet/base/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

/// Present from creation until `close`: a run folder with it and without a lock holder is dead.
constexpr std::string_view k_running_marker = "running";
constexpr std::string_view k_lock = "lock";

fs::path runs_of(const fs::path& data_directory) {
  return data_directory / "runs";
}

/// The part of a step name that is safe in a file name.
std::string file_name_of(std::string_view step) {
  std::string out;
  for (const char c : step.substr(0, 80)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    out += plain ? c : '_';
  }
  return out;
}

std::vector<std::string> remove_all_but_logs(const fs::path& run) {
  std::vector<std::string> problems;
  for (const fs::path& path : leftovers_of(run)) {
    if (std::string problem = remove_tree(path); !problem.empty()) {
      problems.push_back(std::move(problem));
    }
  }
  if (problems.empty()) {  // until here a crash leaves a dead run to find, and so does what is left
    std::error_code code;
    fs::remove(run / k_running_marker, code);
  }
  return problems;
}

}  // namespace

std::vector<fs::path> leftovers_of(const fs::path& run) {
  std::vector<fs::path> paths;
  std::error_code code;
  for (const fs::directory_entry& entry : fs::directory_iterator(run, code)) {
    const fs::path name = entry.path().filename();
    if (name != "logs" && name != k_lock && name != k_running_marker) {
      paths.push_back(entry.path());
    }
  }
  return paths;
}

RunDirectory RunDirectory::create(const fs::path& data_directory, const std::string& build_id) {
  make_private_directory(runs_of(data_directory));
  fs::path path = runs_of(data_directory) / build_id;
  make_private_directory(path);
  // The lock comes before the marker, so nobody ever sees a marked folder of a living run unlocked.
  std::optional<FileLock> lock = FileLock::try_acquire(path / k_lock);
  FRESHET_ASSERT(lock.has_value());
  make_private_directory(path / "logs");
  replace_private_file(path / k_running_marker, "");
  return RunDirectory(std::move(path), std::move(*lock));
}

fs::path RunDirectory::step_log(std::size_t index, std::string_view step) const {
  return logs() / fmt::format("{:02}-{}.log", index + 1, file_name_of(step));
}

fs::path RunDirectory::make_step_files(std::size_t index) const {
  fs::path path = path_ / fmt::format("step-{:02}", index + 1);
  make_private_directory(path);
  // The container's user need not be ours: what lies in here is readable, the parents are not.
  fs::permissions(
      path,
      fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
          fs::perms::others_read | fs::perms::others_exec);
  return path;
}

std::vector<std::string> RunDirectory::close() {
  std::error_code code;
  fs::last_write_time(path_ / k_lock, fs::file_time_type::clock::now(), code);  // when it ended
  return remove_all_but_logs(path_);
}

DeadRuns::DeadRuns(const fs::path& data_directory) {
  std::error_code code;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs_of(data_directory), code)) {
    if (!fs::exists(entry.path() / k_running_marker)) {
      continue;
    }
    if (std::optional<FileLock> lock = FileLock::try_acquire(entry.path() / k_lock)) {
      runs_.push_back({entry.path().filename().string(), entry.path()});
      locks_.push_back(std::move(*lock));
    }
  }
}

std::vector<std::string> DeadRuns::remove_files(const DeadRun& run) {
  return remove_all_but_logs(run.path);
}

void remove_old_logs(const fs::path& data_directory, std::size_t keep) {
  std::error_code code;
  std::vector<std::pair<fs::file_time_type, fs::path>> ended;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs_of(data_directory), code)) {
    // Without a lock file it is just being made.
    if (!fs::exists(entry.path() / k_running_marker) && fs::exists(entry.path() / k_lock)) {
      ended.emplace_back(fs::last_write_time(entry.path() / k_lock, code), entry.path());
    }
  }
  std::sort(ended.begin(), ended.end(), std::greater<>());
  for (std::size_t i = keep; i < ended.size(); ++i) {
    if (const auto lock = FileLock::try_acquire(ended[i].second / k_lock)) {
      remove_tree(ended[i].second);
    }
  }
}

}  // namespace freshet::pipeline
