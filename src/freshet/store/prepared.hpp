// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <soci/session.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <optional>
#include <string_view>

namespace freshet::store {

/// Bytes that are stored as they are.
struct Blob {
  std::string_view bytes;
};

/// A statement that is prepared once and runs many times, and knows bytes. SOCI prepares each time
/// anew and binds texts only, which is too slow where one change writes a hundred rows. Lives
/// within one transaction; throws what `Database` translates.
class Prepared {
 public:
  Prepared(soci::session& session, std::string_view sql);
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared();

  /// Starts anew with these values, which have to live until the last row was taken: whole numbers,
  /// texts, `Blob`s, or nothing for NULL.
  template <class... Values>
  Prepared& with(const Values&... values) {
    reset();
    int place = 0;
    (bind(++place, values), ...);
    return *this;
  }
  /// Takes the next row; false when there is none.
  bool next();
  /// Runs a statement that returns no rows.
  template <class... Values>
  void run(const Values&... values) {
    with(values...).next();
  }

  /// Of the row that was taken; columns count from 0.
  long long integer(int column) const;
  std::optional<long long> optional_integer(int column) const;
  /// Of a text or blob, until the next row is taken.
  std::string_view bytes(int column) const;

  /// Of the row that was inserted last.
  long long last_number() const;

 private:
  void reset();
  void bind(int place, long long value);
  void bind(int place, std::string_view text);
  void bind(int place, Blob blob);
  void bind(int place, std::optional<long long> value);
  void check(int code) const;

  sqlite_api::sqlite3* connection_;
  sqlite_api::sqlite3_stmt* statement_ = nullptr;
};

}  // namespace freshet::store
