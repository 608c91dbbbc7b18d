// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/prepared.hpp"

namespace freshet::store {

Prepared::Prepared(soci::session& session, std::string_view sql)
    : connection_(static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_) {
  check(sqlite_api::sqlite3_prepare_v2(
      connection_, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr));
}

Prepared::~Prepared() {
  sqlite_api::sqlite3_finalize(statement_);
}

bool Prepared::next() {
  const int code = sqlite_api::sqlite3_step(statement_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code != SQLITE_DONE) {
    check(code);
  }
  // Else the statement would hold its place in the table, and run again at the next call.
  reset();
  return false;
}

long long Prepared::integer(int column) const {
  return sqlite_api::sqlite3_column_int64(statement_, column);
}

std::optional<long long> Prepared::optional_integer(int column) const {
  const bool is_null = sqlite_api::sqlite3_column_type(statement_, column) == SQLITE_NULL;
  return is_null ? std::nullopt : std::optional(integer(column));
}

std::string_view Prepared::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite_api::sqlite3_column_blob(statement_, column));
  const int size = sqlite_api::sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string_view()
                         : std::string_view(data, static_cast<std::size_t>(size));
}

long long Prepared::last_number() const {
  return sqlite_api::sqlite3_last_insert_rowid(connection_);
}

void Prepared::reset() {
  sqlite_api::sqlite3_reset(statement_);  // its code is that of the last step, which was told
}

void Prepared::bind(int place, long long value) {
  check(sqlite_api::sqlite3_bind_int64(statement_, place, value));
}

void Prepared::bind(int place, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();  // not NULL
  check(sqlite_api::sqlite3_bind_text(
      statement_, place, data, static_cast<int>(text.size()), SQLITE_STATIC));
}

void Prepared::bind(int place, Blob blob) {
  const char* data = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  check(sqlite_api::sqlite3_bind_blob(
      statement_, place, data, static_cast<int>(blob.bytes.size()), SQLITE_STATIC));
}

void Prepared::bind(int place, std::optional<long long> value) {
  check(
      value ? sqlite_api::sqlite3_bind_int64(statement_, place, *value)
            : sqlite_api::sqlite3_bind_null(statement_, place));
}

void Prepared::check(int code) const {
  if (code != SQLITE_OK) {
    throw soci::sqlite3_soci_error(sqlite_api::sqlite3_errmsg(connection_), code);
  }
}

}  // namespace freshet::store
