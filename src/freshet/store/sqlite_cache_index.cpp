// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/sqlite_cache_index.hpp"

#include "freshet/store/cache_encoding.hpp"
#include "freshet/store/prepared.hpp"
#include "freshet/store/sqlite_cache_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

namespace freshet::store {
namespace {

/// What has to be known of an image to take its rows out.
struct ImageRow {
  ImageNumber number = 0;
  long long branch = 0;
  bool is_offered = false;
  std::vector<HeldResult> results;
};

template <class... Values>
std::vector<ImageRow> select_rows(
    soci::session& session, std::string_view condition, const Values&... values) {
  Prepared find(
      session,
      "SELECT cache_images.number, cache_images.branch, is_offered, results FROM cache_images "
      "JOIN cache_branches ON cache_branches.number = cache_images.branch WHERE " +
          std::string(condition));
  std::vector<ImageRow> out;
  find.with(values...);
  while (find.next()) {
    out.push_back(
        {find.integer(0), find.integer(1), find.integer(2) != 0, decode_results(find.bytes(3))});
  }
  return out;
}

long long put_scope(soci::session& session, const model::PastImage& image) {
  Prepared(session, "INSERT OR IGNORE INTO cache_scopes (platform, trust_scope) VALUES (?, ?)")
      .run(image.platform, image.trust_scope);
  Prepared find(session, "SELECT number FROM cache_scopes WHERE platform = ? AND trust_scope = ?");
  find.with(image.platform, image.trust_scope).next();
  return find.integer(0);
}

long long put_branch(soci::session& session, long long scope, const model::PastImage& image) {
  Prepared(
      session, "INSERT OR IGNORE INTO cache_branches (scope, pipeline, branch) VALUES (?, ?, ?)")
      .run(scope, image.pipeline, image.branch);
  Prepared find(
      session, "SELECT number FROM cache_branches WHERE scope = ? AND pipeline = ? AND branch = ?");
  find.with(scope, image.pipeline, image.branch).next();
  return find.integer(0);
}

/// Finds the rows of instructions, and makes those that are missing.
class ResultWriter {
 public:
  ResultWriter(soci::session& session, long long scope)
      : scope_(scope),
        find_(
            session,
            fmt::format(
                "SELECT number, diff_id, cost_ms, measured_at FROM cache_results WHERE {}",
                k_is_of_key)),
        insert_(
            session,
            "INSERT INTO cache_results (scope, key, diff_id, size_bytes, cost_ms, measured_at) "
            "VALUES (?, ?, ?, ?, ?, ?)"),
        measure_(
            session,
            fmt::format(
                "UPDATE cache_results SET cost_ms = ?3, measured_at = ?4 WHERE {} "
                "AND (measured_at IS NULL OR measured_at <= ?4)",
                k_is_of_key)) {}

  /// The number of the row.
  long long put(const model::PastInstruction& instruction) {
    const std::string diff_id = encode_diff_id(instruction.diff_id);
    std::optional<long long> cost;
    std::optional<long long> measured_at;
    find_.with(Blob{bytes_of(instruction.key)}, scope_);
    while (find_.next()) {
      if (find_.bytes(1) == diff_id) {
        return find_.integer(0);
      }
      cost = find_.optional_integer(2);
      measured_at = find_.optional_integer(3);
    }
    insert_.run(
        scope_,
        Blob{bytes_of(instruction.key)},
        Blob{diff_id},
        static_cast<long long>(instruction.size_bytes),
        cost,
        measured_at);
    return insert_.last_number();
  }

  void measure(const model::PastInstruction& instruction, UnixTime when) {
    if (instruction.cost) {
      const auto cost = static_cast<long long>(instruction.cost->count());
      const long long at = to_stored(when);
      measure_.run(Blob{bytes_of(instruction.key)}, scope_, cost, at);
    }
  }

 private:
  long long scope_;
  Prepared find_;
  Prepared insert_;
  Prepared measure_;
};

std::vector<HeldResult> put_results(
    soci::session& session,
    long long scope,
    const std::vector<model::PastInstruction>& instructions) {
  ResultWriter writer(session, scope);
  std::map<long long, bool> offered;
  for (const auto& instruction : instructions) {
    bool& is_offered = offered[writer.put(instruction)];
    is_offered = is_offered || instruction.is_offered;
  }
  std::vector<HeldResult> out;
  for (const auto& [number, is_offered] : offered) {
    out.push_back({number, is_offered});
  }
  return out;
}

void put_copies(
    soci::session& session, ImageNumber image, const std::vector<model::ImageCopy>& copies) {
  // A copy that is named twice is one; that it was seen counts.
  Prepared insert(
      session,
      "INSERT INTO cache_copies (image, registry, repository, digest, confirmed_at) "
      "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
      "SET confirmed_at = coalesce(confirmed_at, excluded.confirmed_at)");
  for (const auto& copy : copies) {
    std::optional<long long> confirmed_at;
    if (copy.confirmed_at) {
      confirmed_at = to_stored(*copy.confirmed_at);
    }
    insert.run(image, copy.registry, copy.repository, copy.digest, confirmed_at);
  }
}

bool has_seen_copy(soci::session& session, ImageNumber image) {
  Prepared find(
      session, "SELECT 1 FROM cache_copies WHERE image = ? AND confirmed_at IS NOT NULL LIMIT 1");
  return find.with(image).next();
}

void put_holders(soci::session& session, const ImageRow& row) {
  Prepared insert(
      session, "INSERT INTO cache_holders (result, is_offered, image) VALUES (?, ?, ?)");
  for (const HeldResult& result : row.results) {
    insert.run(result.number, row.is_offered && result.is_offered ? 1LL : 0LL, row.number);
  }
}

void remove_holders(soci::session& session, const ImageRow& row) {
  Prepared remove(
      session, "DELETE FROM cache_holders WHERE result = ? AND is_offered = ? AND image = ?");
  for (const HeldResult& result : row.results) {
    remove.run(result.number, row.is_offered && result.is_offered ? 1LL : 0LL, row.number);
  }
}

void remove_rows(soci::session& session, const ImageRow& row) {
  remove_holders(session, row);
  Prepared(session, "DELETE FROM cache_copies WHERE image = ?").run(row.number);
  Prepared(session, "DELETE FROM cache_images WHERE number = ?").run(row.number);
}

/// Removes what nothing refers to any more now that the image is gone.
void remove_unused(soci::session& session, const ImageRow& row) {
  Prepared remove(
      session,
      "DELETE FROM cache_results WHERE number = ? "
      "AND NOT EXISTS (SELECT 1 FROM cache_holders WHERE result = cache_results.number)");
  for (const HeldResult& result : row.results) {
    remove.run(result.number);
  }
  Prepared(
      session,
      "DELETE FROM cache_branches WHERE number = ? "
      "AND NOT EXISTS (SELECT 1 FROM cache_images WHERE branch = cache_branches.number)")
      .run(row.branch);
  // Few rows: as many as there are platforms and forks.
  Prepared(
      session,
      "DELETE FROM cache_scopes "
      "WHERE NOT EXISTS (SELECT 1 FROM cache_branches WHERE scope = cache_scopes.number)")
      .run();
}

/// What was known of the image is added to what is told now.
void merge(const model::PastImage& known, model::PastImage& into) {
  into.copies.insert(into.copies.end(), known.copies.begin(), known.copies.end());
  into.instructions.insert(
      into.instructions.end(), known.instructions.begin(), known.instructions.end());
}

void insert_image(soci::session& session, long long scope, const model::PastImage& image) {
  ImageRow row;
  row.branch = put_branch(session, scope, image);
  row.results = put_results(session, scope, image.instructions);
  row.is_offered = std::ranges::any_of(
      image.copies, [](const model::ImageCopy& copy) { return copy.confirmed_at.has_value(); });
  Prepared insert(
      session,
      "INSERT INTO cache_images (id, branch, created_at, is_offered, results) "
      "VALUES (?, ?, ?, ?, ?)");
  const std::string results = encode_results(row.results);
  insert.run(
      image.id, row.branch, to_stored(image.created_at), row.is_offered ? 1LL : 0LL, Blob{results});
  row.number = insert.last_number();
  put_copies(session, row.number, image.copies);
  put_holders(session, row);
}

}  // namespace

void SqliteCacheIndex::record(const model::PastImage& image) {
  database_.write([&](soci::session& session) {
    const long long scope = put_scope(session, image);
    const auto known = select_rows(session, "id = ? AND scope = ?", image.id, scope);
    model::PastImage merged = image;
    for (const ImageRow& row : known) {
      merge(load_past_image(session, row.number), merged);
      remove_rows(session, row);
    }
    insert_image(session, scope, merged);
    for (const ImageRow& row : known) {
      remove_unused(session, row);
    }
    ResultWriter results(session, scope);
    for (const auto& instruction : image.instructions) {
      results.measure(instruction, image.created_at);
    }
  });
}

void SqliteCacheIndex::set_confirmed(
    std::string_view id, const model::ImageCopy& copy, std::optional<UnixTime> when) {
  std::optional<long long> confirmed_at;
  if (when) {
    confirmed_at = to_stored(*when);
  }
  database_.write([&](soci::session& session) {
    for (ImageRow& row : select_rows(session, "id = ?", id)) {
      Prepared(
          session,
          "UPDATE cache_copies SET confirmed_at = ? "
          "WHERE image = ? AND registry = ? AND repository = ? AND digest = ?")
          .run(confirmed_at, row.number, copy.registry, copy.repository, copy.digest);
      const bool is_offered = has_seen_copy(session, row.number);
      if (is_offered != row.is_offered) {
        remove_holders(session, row);
        row.is_offered = is_offered;
        put_holders(session, row);
        Prepared(session, "UPDATE cache_images SET is_offered = ? WHERE number = ?")
            .run(is_offered ? 1LL : 0LL, row.number);
      }
    }
  });
}

void SqliteCacheIndex::forget(std::string_view id) {
  database_.write([&](soci::session& session) {
    for (const ImageRow& row : select_rows(session, "id = ?", id)) {
      remove_rows(session, row);
      remove_unused(session, row);
    }
  });
}

void SqliteCacheIndex::read(const CacheReader& reader, const Work& work) {
  database_.read([&](soci::session& session) {
    SqliteCacheView view(session, reader);
    work(view);
  });
}

}  // namespace freshet::store
