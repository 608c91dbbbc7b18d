// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/database.hpp"

#include "freshet/store/migrations.hpp"

#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sodium.h>

#include <chrono>
#include <thread>

namespace freshet::store {
namespace {

/// About ten seconds: enough for a hundred writers in a row on a slow disk, short enough to tell of
/// a hung one.
constexpr int k_max_lock_attempts = 1600;
constexpr std::uint32_t k_max_lock_pause_ms = 12;

/// Called by SQLite, again and again, while another connection holds a lock that it needs. Its own
/// handler sleeps the same times in every waiter, so that all of them ask at one moment and one of
/// them gets through per round; a random pause lets them through one after the other.
int wait_for_lock(void*, int attempts_before) {
  if (attempts_before >= k_max_lock_attempts) {
    return 0;
  }
  const auto pause = std::chrono::milliseconds(1 + randombytes_uniform(k_max_lock_pause_ms));
  std::this_thread::sleep_for(pause);
  return 1;
}

std::string connect_string(const fs::path& file) {
  // SOCI ends a quoted value at the first quote and knows no escape for it.
  if (file.string().find('"') != std::string::npos) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("the path of the database, '{}', contains a double quote", file.string()))
        .with_hint("use another --data-dir");
  }
  return fmt::format("db=\"{}\"", file.string());
}

/// Not what(), which holds the bound values as well; and without SOCI's own function name.
std::string said_by_sqlite(const soci::soci_error& failure) {
  std::string said = failure.get_error_message();
  const std::size_t end = said.find(": ");
  if (said.starts_with("sqlite3_") && end != std::string::npos) {
    said.erase(0, end + 2);
  }
  return said;
}

void configure(soci::session& session, const fs::path& file) {
  auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
  sqlite_api::sqlite3_busy_handler(backend->conn_, &wait_for_lock, nullptr);
  std::string mode;
  session << "PRAGMA journal_mode = WAL", soci::into(mode);
  if (mode != "wal") {
    throw Error(
        ErrorCode::unsupported,
        fmt::format(
            "'{}' is on a file system where processes cannot share a database", file.string()))
        .with_hint("use a --data-dir on a local disk");
  }
  session << "PRAGMA foreign_keys = ON";
  // NORMAL may lose the last transactions in a power cut. Changes here are few, and a renewed
  // password that was reported as saved must still be there; one sync each is a fair price.
  session << "PRAGMA synchronous = FULL";
  // What was removed (a sealed password) is overwritten, not only unlinked.
  session << "PRAGMA secure_delete = ON";
}

}  // namespace

Transaction::Transaction(soci::session& session, Kind kind) : session_(session) {
  session_ << (kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!is_open_) {
    return;
  }
  try {
    session_ << "ROLLBACK";
  } catch (const soci::soci_error&) {
    // SQLite has rolled back by itself already, as after a full disk.
  }
}

void Transaction::commit() {
  session_ << "COMMIT";
  is_open_ = false;
}

Error to_error(const soci::soci_error& failure, const fs::path& file) {
  const std::string said = said_by_sqlite(failure);
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&failure);
  switch (sqlite == nullptr ? SQLITE_ERROR : sqlite->result() & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(
                 ErrorCode::unavailable,
                 fmt::format("'{}' is held by another process for too long", file.string()))
          .with_hint("see which process that is with 'fuser " + file.string() + "', then try again")
          .with_remote_text(said);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(
                 ErrorCode::corrupt_data,
                 fmt::format("'{}' is damaged or is not a database of freshet", file.string()))
          .with_hint(
              "put a backup in its place, or move it away and add the integrations again; "
              "keep the file 'key' beside it")
          .with_remote_text(said);
    case SQLITE_CONSTRAINT:
      return Error(
                 ErrorCode::conflict,
                 fmt::format("the change breaks a rule of '{}'", file.string()))
          .with_remote_text(said);
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return Error(ErrorCode::unavailable, fmt::format("cannot read or write '{}'", file.string()))
          .with_hint("look at the free space and the rights of that directory")
          .with_remote_text(said);
    default:
      return Error(
                 ErrorCode::internal,
                 fmt::format("the database '{}' refused a statement", file.string()))
          .with_remote_text(said);
  }
}

Database::Database(const fs::path& file) : file_(file) {
  try {
    // The backend is named as an object, so that SOCI loads no plug-in by name.
    session_.open(soci::sqlite3, connect_string(file_));
    configure(session_, file_);
    migrate(session_, file_);
  } catch (const soci::soci_error& failure) {
    throw to_error(failure, file_);
  }
}

}  // namespace freshet::store
