// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::pipeline {

/// The folder of one run below the data directory: `runs/<build id>/` with the step logs, the
/// scripts, the shared volume while it runs, and a lock that tells whether its process lives.
class RunDirectory {
 public:
  static RunDirectory create(const fs::path& data_directory, const std::string& build_id);
  RunDirectory(RunDirectory&&) noexcept = default;

  const fs::path& path() const { return path_; }
  fs::path logs() const { return path_ / "logs"; }
  /// What the pipeline's next run may reuse: the shared volume and what belongs to it.
  fs::path state() const { return path_ / "state"; }
  /// The log of the step at `index` (from 0).
  fs::path step_log(std::size_t index, std::string_view step) const;
  /// A folder for the files that the step's container gets to see; made here.
  fs::path make_step_files(std::size_t index) const;

  /// Removes all but the logs and marks the run as ended; returns what could not be removed. Then
  /// it stays unmarked, so that it is found among the dead ones, until another call succeeds.
  std::vector<std::string> close();

 private:
  RunDirectory(fs::path path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  fs::path path_;
  FileLock lock_;
};

/// A run whose process died, or could not remove all that the run made.
struct DeadRun {
  std::string build_id;
  fs::path path;
};

/// The runs that left something behind. A run is listed to one caller only: the second of two
/// processes that look at the same time does not see it.
class DeadRuns {
 public:
  explicit DeadRuns(const fs::path& data_directory);

  const std::vector<DeadRun>& list() const { return runs_; }
  /// Removes what a run left on disk but its logs; returns what could not be removed. The run is
  /// listed again until nothing is left.
  static std::vector<std::string> remove_files(const DeadRun& run);

 private:
  std::vector<DeadRun> runs_;
  std::vector<FileLock> locks_;
};

/// What is in a run's folder beside its logs and its own marks.
std::vector<fs::path> leftovers_of(const fs::path& run);

/// Keeps the newest `keep` ended runs' logs and removes the others.
void remove_old_logs(const fs::path& data_directory, std::size_t keep);

}  // namespace freshet::pipeline
