// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/base/files.hpp"
#include "freshet/base/ids.hpp"

#include <soci/soci.h>

#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

namespace freshet::store {

/// A transaction that is rolled back unless committed.
class Transaction {
 public:
  /// `read` sees one state of the database throughout. `write` takes the write lock at once: a
  /// transaction that reads first and asks for the lock later can fail where waiting would do.
  enum class Kind { read, write };

  Transaction(soci::session& session, Kind kind);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  void commit();

 private:
  soci::session& session_;
  bool is_open_ = true;
};

/// What SQLite said, in Freshet's words; the one place where that is translated.
Error to_error(const soci::soci_error& failure, const fs::path& file);

/// One connection to the database file, used by one thread at a time.
class Database {
 public:
  /// Connects and migrates. The file has to exist, so that its mode is not SQLite's choice.
  explicit Database(const fs::path& file);

  /// Runs `work(session)` in one transaction and returns its result. Throws what `work` throws
  /// (after a rollback); unavailable when the file stays locked or the disk is full; corrupt_data.
  template <class Work>
  auto read(Work work) {
    return run(Transaction::Kind::read, work);
  }
  template <class Work>
  auto write(Work work) {
    return run(Transaction::Kind::write, work);
  }

 private:
  template <class Work>
  auto run(Transaction::Kind kind, Work& work) -> std::invoke_result_t<Work&, soci::session&> {
    const std::lock_guard lock(mutex_);
    try {
      Transaction transaction(session_, kind);
      if constexpr (std::is_void_v<std::invoke_result_t<Work&, soci::session&>>) {
        work(session_);
        transaction.commit();
      } else {
        auto result = work(session_);
        transaction.commit();
        return result;
      }
    } catch (const soci::soci_error& failure) {
      throw to_error(failure, file_);
    }
  }

  fs::path file_;
  std::mutex mutex_;
  soci::session session_;
};

inline long long to_stored(UnixTime time) {
  return time.time_since_epoch().count();
}

inline UnixTime from_stored(long long milliseconds) {
  return UnixTime(std::chrono::milliseconds(milliseconds));
}

/// Runs a statement that returns no rows, its placeholders bound in order (std::string, int,
/// long long); returns the number of rows that it changed.
template <class... Values>
long long change(soci::session& session, const std::string& sql, const Values&... values) {
  soci::statement statement(session);
  (statement.exchange(soci::use(values)), ...);
  statement.alloc();
  statement.prepare(sql);
  statement.define_and_bind();
  statement.execute(true);
  return statement.get_affected_rows();
}

/// Runs a query, its placeholders bound in order, and returns its rows. `Row` has `bind(statement)`
/// that names its columns' targets in order, and `record()` that makes the value.
template <class Row, class... Values>
auto select(soci::session& session, const std::string& sql, const Values&... values) {
  Row row;
  std::vector<decltype(row.record())> rows;
  soci::statement statement(session);
  row.bind(statement);
  (statement.exchange(soci::use(values)), ...);
  statement.alloc();
  statement.prepare(sql);
  statement.define_and_bind();
  statement.execute();
  while (statement.fetch()) {
    rows.push_back(row.record());
  }
  return rows;
}

/// For `select`: a row of one text.
struct TextRow {
  std::string text;

  void bind(soci::statement& statement) { statement.exchange(soci::into(text)); }
  std::string record() const { return text; }
};

}  // namespace freshet::store
