// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/pipeline/run/scope.hpp"

#include <string>

namespace freshet::pipeline {

/// A directory on this machine, named so that nothing which containers wrote leads elsewhere.
struct ReclaimPlace {
  fs::path root;  // absolute; which directory this is, no container can change
  fs::path below = {};  // relative to it; no link in it is followed; empty: `root` itself

  fs::path path() const { return below.empty() ? root : root / below; }
};

/// Makes ours what containers made as another user, most often as root.
///
/// Only root may give files away, and in a container the engine lends us that right: a program of
/// ours runs in one that sees nothing but the place's root. It runs only where something there is
/// not ours, and never when we are root ourselves.
/// Throws what the engine says, and forbidden for what not even root could change. The container
/// carries the labels of the build, so that its clean-up finds it whatever happens here.
class Reclaimer {
 public:
  Reclaimer(RunServices services, std::string build_id)
      : services_(services), build_id_(std::move(build_id)) {}

  /// Makes the whole tree ours and lets us into its directories; nothing where there is none.
  /// Returns whether anything had to be changed.
  Awaitable<bool> own_tree(Ctx ctx, ReclaimPlace place);
  /// Makes the directory itself ours, open to everybody and without a sticky bit, unless we can
  /// add and remove entries of it anyway; nothing where it is no directory.
  Awaitable<void> open_directory(Ctx ctx, ReclaimPlace place);

 private:
  Awaitable<void> run_program(Ctx ctx, std::string mode, ReclaimPlace place);

  RunServices services_;
  std::string build_id_;
};

}  // namespace freshet::pipeline
