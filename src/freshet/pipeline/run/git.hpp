// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/files.hpp"
#include "freshet/base/process.hpp"
#include "freshet/model/build.hpp"

#include <optional>
#include <string>
#include <vector>

namespace freshet::pipeline {

/// The git program, run so that it never asks anything, runs no hooks of the repository and speaks
/// only the transports that name a repository (no `ext::`, which runs programs).
class Git {
 public:
  /// `directory`: where it runs. Output goes to `on_line`. With `git_directory` that is the
  /// repository and `directory` its work tree, whatever `.git` may lie there.
  Git(fs::path directory, LineSink on_line, fs::path git_directory = {})
      : directory_(std::move(directory)),
        git_directory_(std::move(git_directory)),
        on_line_(std::move(on_line)) {}

  const fs::path& directory() const { return directory_; }

  /// Throws step_failed with git's last words when it exits with another code than 0.
  Awaitable<void> run(Ctx ctx, std::vector<std::string> arguments);
  /// Its output, trimmed; nullopt when it exits with another code than 0.
  Awaitable<std::optional<std::string>> ask(Ctx ctx, std::vector<std::string> arguments);

 private:
  Command command(std::vector<std::string> arguments) const;

  fs::path directory_;
  fs::path git_directory_;
  LineSink on_line_;
};

/// A repository's address taken apart.
struct RepositoryAddress {
  std::string url;  // what git is given
  std::string owner;  // may be empty
  std::string name;  // last part without `.git`
};

/// Understands `owner/name` (on github.com), URLs, `user@host:path` and paths on this machine.
/// Throws invalid_input: a password in the address, an option in disguise, nothing at all.
RepositoryAddress parse_repository_address(const std::string& text);

/// What git knows about HEAD; nullopt when there is no commit. `git` must outlive the call.
Awaitable<std::optional<model::GitFacts>> find_git_facts(Ctx ctx, Git& git);

/// The top folder of the repository around `directory`; nullopt when there is none.
Awaitable<std::optional<fs::path>> find_repository(Ctx ctx, fs::path directory);

}  // namespace freshet::pipeline
