// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <soci/session.h>

#include <string>
#include <vector>

namespace freshet::store {

/// One step of the schema; `number` is the `user_version` of the database after it.
struct Migration {
  int number;
  std::string script;
};

/// All of them, lowest number first.
const std::vector<Migration>& migrations();

/// Brings the database to the newest schema, all steps in one transaction. Two processes may call
/// it on one file at once. Throws: conflict when a newer program wrote the database.
void migrate(soci::session& session, const fs::path& file);

}  // namespace freshet::store
