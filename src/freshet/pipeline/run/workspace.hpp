// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/pipeline/run/run_directory.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace freshet::pipeline {

/// Where the shared volume is in containers.
inline constexpr std::string_view k_volume_path = "/codefresh/volume";

/// The shared volume of one run: a folder on this machine that containers see at
/// `/codefresh/volume`, and beside it, out of their sight, the git data of its checkouts.
///
/// Both are kept from one run of a pipeline to the next: a run takes the saved folder by renaming
/// it into its own, which only one run can do; a run that finds none starts empty; what ends last
/// is what the next run finds.
class Workspace {
 public:
  /// Takes the saved state of `pipeline`, or makes an empty one, as `run.state()`.
  static Workspace take(
      const fs::path& data_directory, std::string_view pipeline, const RunDirectory& run);

  /// Removes what steps of an earlier build exported, which must not reach the next; part of
  /// `take`, and to be called again once the folder lets us in.
  void forget_exports() const;

  /// The volume's folder on this machine, absolute and free of links.
  const fs::path& root() const { return root_; }

  /// The place on this machine of an absolute path in a container. Throws invalid_input when it is
  /// outside of the shared volume, also by way of `..` or of a link inside it.
  fs::path host_path(std::string_view container_path) const;

  /// Where Freshet keeps the git data of the checkout at `container_path`. Containers can write to
  /// the checkout's own `.git`, and git runs programs that such files name: it is never used here.
  fs::path git_directory(std::string_view container_path) const;

  /// Saves the state for the pipeline's next run. Throws unavailable.
  void save();

 private:
  Workspace(fs::path state, fs::path root, fs::path saved)
      : state_(std::move(state)), root_(std::move(root)), saved_(std::move(saved)) {}

  fs::path state_;
  fs::path root_;
  fs::path saved_;
};

/// `base` joined with `path` as a shell in the container would, without `.` and `..` parts; an
/// absolute `path` stays as it is.
std::string join_container_path(std::string_view base, std::string_view path);

}  // namespace freshet::pipeline
