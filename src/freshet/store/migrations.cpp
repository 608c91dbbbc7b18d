// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/migrations.hpp"

#include "freshet/base/error.hpp"
#include "freshet/store/database.hpp"

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace freshet::store {
namespace {

int schema_version(soci::session& session, const fs::path& file) {
  int version = 0;
  session << "PRAGMA user_version", soci::into(version);
  const int newest = migrations().back().number;
  if (version > newest) {
    throw Error(
        ErrorCode::conflict,
        fmt::format(
            "'{}' was written by a newer freshet (schema {}, this one knows {})",
            file.string(),
            version,
            newest))
        .with_hint("update freshet, or use another --data-dir");
  }
  return version;
}

/// SOCI prepares only the first statement of a text, a script has many.
void run_script(soci::session& session, const std::string& script) {
  auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
  char* message = nullptr;
  const int code =
      sqlite_api::sqlite3_exec(backend->conn_, script.c_str(), nullptr, nullptr, &message);
  if (code != SQLITE_OK) {
    const std::string text = message == nullptr ? "unknown error" : message;
    sqlite_api::sqlite3_free(message);
    throw soci::sqlite3_soci_error(text, code);
  }
}

}  // namespace

void migrate(soci::session& session, const fs::path& file) {
  const int newest = migrations().back().number;
  if (schema_version(session, file) == newest) {
    return;  // the usual case needs no write lock
  }
  Transaction transaction(session, Transaction::Kind::write);
  const int version = schema_version(session, file);  // another process may have been faster
  for (const Migration& migration : migrations()) {
    if (migration.number > version) {
      run_script(session, migration.script);
      session << fmt::format("PRAGMA user_version = {}", migration.number);
    }
  }
  transaction.commit();
}

}  // namespace freshet::store
