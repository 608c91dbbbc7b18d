// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/build.hpp"

#include <soci/soci.h>

namespace freshet::store {

/// The columns that images and builds share, in the order of `bind_git`.
constexpr const char* k_git_columns =
    "repo_owner, repo_name, branch, revision, commit_author, commit_message, commit_url";

inline void bind_git(soci::statement& statement, model::GitFacts& git) {
  for (std::string* column :
       {&git.repo_owner,
        &git.repo_name,
        &git.branch,
        &git.revision,
        &git.commit_author,
        &git.commit_message,
        &git.commit_url}) {
    statement.exchange(soci::into(*column));
  }
}

}  // namespace freshet::store
