// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace freshet::pipeline {

// The walks below are also part of the small static program that runs in a container, so nothing
// here needs more than POSIX. They follow no symbolic link, whatever lies in the tree and whoever
// changes it meanwhile, and stay on the file system of the directory that they start from.

struct Owner {
  uid_t user;
  gid_t group;
};

/// Told about what could not be changed: its name and `errno`.
using OwnershipProblem = void (*)(const char* name, int error);

/// Opens the directory `path` below the directory `root` (a descriptor); every part of `path` must
/// be a real directory, and `..` is refused. "." is `root` itself. Returns -1 with `errno`.
int open_directory_below(int root, const char* path);

/// Whether all in the tree, `directory` (a descriptor) itself included, belongs to `user`, and all
/// directories let him in.
bool is_all_owned_by(int directory, uid_t user);

/// Gives what in the tree belongs to another user to `owner`, `directory` (a descriptor) itself
/// included, and lets the owner into every directory. Returns whether nothing went wrong.
bool take_tree(int directory, Owner owner, OwnershipProblem on_problem);

/// Gives `directory` (a descriptor) alone to `owner` and opens it to everybody: containers of any
/// user may go on writing to it.
bool take_directory(int directory, Owner owner, OwnershipProblem on_problem);

}  // namespace freshet::pipeline
