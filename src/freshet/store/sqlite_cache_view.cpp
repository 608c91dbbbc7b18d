// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/sqlite_cache_view.hpp"

#include "freshet/base/error.hpp"
#include "freshet/store/cache_encoding.hpp"
#include "freshet/store/database.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

namespace freshet::store {
namespace {

using Milliseconds = std::chrono::milliseconds;

void add_scope(
    std::vector<long long>& scopes,
    Prepared& find,
    const CacheReader& reader,
    const std::string& trust) {
  find.with(reader.platform, trust);
  while (find.next()) {
    scopes.push_back(find.integer(0));
  }
}

/// What several sorted lists have in front, newest first, each once.
std::vector<ImageNumber> newest(std::vector<ImageNumber> numbers, std::size_t limit) {
  std::ranges::sort(numbers, std::greater());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  numbers.resize(std::min(numbers.size(), limit));
  return numbers;
}

std::vector<model::ImageCopy> load_copies(soci::session& session, ImageNumber image) {
  Prepared rows(
      session,
      "SELECT registry, repository, digest, confirmed_at FROM cache_copies WHERE image = ?");
  std::vector<model::ImageCopy> out;
  rows.with(image);
  while (rows.next()) {
    model::ImageCopy copy{
        std::string(rows.bytes(0)), std::string(rows.bytes(1)), std::string(rows.bytes(2)), {}};
    if (const auto confirmed_at = rows.optional_integer(3)) {
      copy.confirmed_at = from_stored(*confirmed_at);
    }
    out.push_back(std::move(copy));
  }
  return out;
}

std::vector<model::PastInstruction> load_instructions(
    soci::session& session, const std::vector<HeldResult>& results) {
  Prepared row(
      session, "SELECT key, diff_id, size_bytes, cost_ms FROM cache_results WHERE number = ?");
  std::vector<model::PastInstruction> out;
  for (const HeldResult& result : results) {
    if (!row.with(result.number).next()) {
      throw Error(ErrorCode::corrupt_data, "the index of past images is damaged");
    }
    model::PastInstruction instruction;
    instruction.key = decode_key(row.bytes(0));
    instruction.diff_id = decode_diff_id(row.bytes(1));
    instruction.size_bytes = static_cast<std::uint64_t>(row.integer(2));
    instruction.is_offered = result.is_offered;
    if (const auto cost = row.optional_integer(3)) {
      instruction.cost = Milliseconds(*cost);
    }
    out.push_back(std::move(instruction));
  }
  return out;
}

}  // namespace

std::vector<long long> find_scopes(soci::session& session, const CacheReader& reader) {
  Prepared find(session, "SELECT number FROM cache_scopes WHERE platform = ? AND trust_scope = ?");
  std::vector<long long> out;
  add_scope(out, find, reader, "");
  if (!reader.trust_scope.empty()) {
    add_scope(out, find, reader, reader.trust_scope);
  }
  return out;
}

model::PastImage load_past_image(soci::session& session, ImageNumber number) {
  Prepared row(
      session,
      "SELECT id, platform, trust_scope, pipeline, cache_branches.branch, created_at, results "
      "FROM cache_images JOIN cache_branches ON cache_branches.number = cache_images.branch "
      "JOIN cache_scopes ON cache_scopes.number = scope WHERE cache_images.number = ?");
  if (!row.with(number).next()) {
    throw Error(ErrorCode::not_found, fmt::format("there is no image {} in the index", number));
  }
  model::PastImage image;
  image.id = row.bytes(0);
  image.platform = row.bytes(1);
  image.trust_scope = row.bytes(2);
  image.pipeline = row.bytes(3);
  image.branch = row.bytes(4);
  image.created_at = from_stored(row.integer(5));
  image.copies = load_copies(session, number);
  image.instructions = load_instructions(session, decode_results(row.bytes(6)));
  return image;
}

SqliteCacheView::SqliteCacheView(soci::session& session, const CacheReader& reader)
    : session_(session),
      scopes_(find_scopes(session, reader)),
      key_(
          session,
          fmt::format(
              "SELECT number, cost_ms, measured_at FROM cache_results WHERE {}", k_is_of_key)),
      holders_(
          session,
          "SELECT image FROM cache_holders WHERE result = ? AND is_offered = 1 AND image < ? "
          "ORDER BY image DESC LIMIT ?"),
      branch_(
          session,
          "SELECT number FROM cache_images WHERE branch = ? AND is_offered = 1 "
          "ORDER BY number DESC LIMIT ?"),
      offer_(session, "SELECT branch, results, created_at FROM cache_images WHERE number = ?") {
  Prepared find(
      session, "SELECT number FROM cache_branches WHERE scope = ? AND pipeline = ? AND branch = ?");
  for (const long long scope : scopes_) {
    find.with(scope, reader.pipeline, reader.branch);
    while (find.next()) {
      branches_.push_back(find.integer(0));
    }
  }
}

std::vector<std::optional<CacheView::KnownKey>> SqliteCacheView::find_keys(
    const std::vector<model::InstructionKey>& keys) {
  FRESHET_ASSERT(results_of_.empty());
  results_of_.resize(keys.size());
  std::vector<std::optional<KnownKey>> out;
  for (std::size_t index = 0; index < keys.size(); ++index) {
    out.push_back(find_key(keys[index], index));
  }
  std::ranges::sort(results_);
  return out;
}

std::optional<CacheView::KnownKey> SqliteCacheView::find_key(
    const model::InstructionKey& key, std::size_t index) {
  std::optional<KnownKey> out;
  long long newest_measured = std::numeric_limits<long long>::min();
  for (const long long scope : scopes_) {
    key_.with(Blob{bytes_of(key)}, scope);
    while (key_.next()) {
      out = out.value_or(KnownKey());
      results_.push_back({key_.integer(0), index});
      results_of_[index].push_back(key_.integer(0));
      const auto cost = key_.optional_integer(1);
      if (cost && key_.integer(2) > newest_measured) {
        out->cost = Milliseconds(*cost);
        newest_measured = key_.integer(2);
      }
    }
  }
  return out;
}

std::vector<ImageNumber> SqliteCacheView::list_holders(
    std::size_t key, ImageNumber before, std::size_t limit) {
  std::vector<ImageNumber> numbers;
  for (const long long result : results_of_.at(key)) {
    holders_.with(result, before, static_cast<long long>(limit));
    while (holders_.next()) {
      numbers.push_back(holders_.integer(0));
    }
  }
  return newest(std::move(numbers), limit);
}

std::vector<ImageNumber> SqliteCacheView::list_of_branch(std::size_t limit) {
  std::vector<ImageNumber> numbers;
  for (const long long branch : branches_) {
    branch_.with(branch, static_cast<long long>(limit));
    while (branch_.next()) {
      numbers.push_back(branch_.integer(0));
    }
  }
  return newest(std::move(numbers), limit);
}

ImageOffer SqliteCacheView::load_offer(ImageNumber number) {
  ImageOffer out;
  offer_.with(number);
  while (offer_.next()) {
    out.is_of_branch = std::ranges::find(branches_, offer_.integer(0)) != branches_.end();
    out.created_at = from_stored(offer_.integer(2));
    auto wanted = results_.begin();
    for (const HeldResult& held : decode_results(offer_.bytes(1))) {
      wanted = std::lower_bound(wanted, results_.end(), Result{held.number, 0});
      if (wanted != results_.end() && wanted->number == held.number && held.is_offered) {
        out.keys.push_back(wanted->key);
      }
    }
  }
  std::ranges::sort(out.keys);
  out.keys.erase(std::unique(out.keys.begin(), out.keys.end()), out.keys.end());
  return out;
}

model::PastImage SqliteCacheView::load_image(ImageNumber number) {
  return load_past_image(session_, number);
}

}  // namespace freshet::store
