// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/layer_store.hpp"

#include <fmt/format.h>

namespace freshet::store {
namespace {

/// About 60 MB of database at the very most.
constexpr long long k_max_rows = 200'000;

struct LayerRow {
  model::KnownLayer columns;
  long long size_bytes = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(columns.diff_id));
    statement.exchange(soci::into(columns.digest));
    statement.exchange(soci::into(columns.media_type));
    statement.exchange(soci::into(size_bytes));
    statement.exchange(soci::into(columns.domain));
    statement.exchange(soci::into(columns.repository));
  }

  model::KnownLayer record() const {
    model::KnownLayer layer = columns;
    layer.size_bytes = static_cast<std::uint64_t>(size_bytes);
    return layer;
  }
};

void erase(soci::session& session, const model::KnownLayer& layer) {
  change(
      session,
      "DELETE FROM known_layers WHERE diff_id = :diff_id AND domain = :domain "
      "AND repository = :repository AND digest = :digest",
      layer.diff_id,
      layer.domain,
      layer.repository,
      layer.digest);
}

}  // namespace

std::vector<model::KnownLayer> SqliteLayerStore::find(
    std::string_view diff_id, std::string_view domain, std::string_view repository) {
  const std::string wanted(diff_id);
  const std::string here(domain);
  const std::string within(repository);
  const std::string query = fmt::format(
      "SELECT diff_id, digest, media_type, size_bytes, domain, repository FROM known_layers "
      "WHERE diff_id = :diff_id ORDER BY domain = :domain AND repository = :repository DESC, "
      "domain = :again DESC, position DESC LIMIT {}",
      k_max_found);
  return database_.read([&](soci::session& session) {
    return select<LayerRow>(session, query, wanted, here, within, here);
  });
}

void SqliteLayerStore::remember(const model::KnownLayer& layer) {
  database_.write([&](soci::session& session) {
    erase(session, layer);
    change(
        session,
        "INSERT INTO known_layers (diff_id, digest, media_type, size_bytes, domain, repository) "
        "VALUES (:diff_id, :digest, :media_type, :size_bytes, :domain, :repository)",
        layer.diff_id,
        layer.digest,
        layer.media_type,
        static_cast<long long>(layer.size_bytes),
        layer.domain,
        layer.repository);
    change(
        session,
        "DELETE FROM known_layers WHERE position <= (SELECT MAX(position) FROM known_layers) - "
        ":max",
        k_max_rows);
  });
}

void SqliteLayerStore::forget(const model::KnownLayer& layer) {
  database_.write([&](soci::session& session) { erase(session, layer); });
}

}  // namespace freshet::store
