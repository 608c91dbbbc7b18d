// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/image_lookup.hpp"

#include "freshet/base/text.hpp"
#include "freshet/store/database.hpp"

#include <algorithm>

namespace freshet::store {
namespace {

/// Shorter starts are too easily a word that somebody mistyped.
constexpr std::size_t k_min_image_id = 12;

using Ids = std::vector<std::string>;

Ids by_record_id(soci::session& session, const std::string& text) {
  return select<TextRow>(session, "SELECT id FROM images WHERE id = :id", text);
}

Ids by_image_id(soci::session& session, const std::string& text) {
  std::string start = to_lower(text);
  if (start.starts_with("sha256:")) {
    start.erase(0, std::string_view("sha256:").size());
  }
  const bool is_hex = start.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (start.size() < k_min_image_id || !is_hex) {
    return {};
  }
  // A range, so that the index serves it; 'g' follows every hexadecimal digit.
  return select<TextRow>(
      session,
      "SELECT id FROM images WHERE internal_image_id >= :first AND internal_image_id < :last LIMIT "
      "2",
      start,
      start + "g");
}

struct TaggedName {
  std::string name;
  std::string tag;
};

std::optional<TaggedName> split_tag(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t slash = text.rfind('/');
  if (colon == std::string::npos || (slash != std::string::npos && colon < slash)) {
    return std::nullopt;  // the colon belongs to a port
  }
  return TaggedName{text.substr(0, colon), text.substr(colon + 1)};
}

Ids by_pull_reference(soci::session& session, const TaggedName& reference) {
  const std::size_t slash = reference.name.find('/');
  if (slash == std::string::npos) {
    return {};
  }
  return select<TextRow>(
      session,
      "SELECT image_id FROM image_tags WHERE registry = :registry AND repository = :repository "
      "AND tag = :tag",
      reference.name.substr(0, slash),
      reference.name.substr(slash + 1),
      reference.tag);
}

Ids by_name_and_tag(soci::session& session, const TaggedName& reference) {
  return select<TextRow>(
      session,
      "SELECT DISTINCT images.id FROM images JOIN image_tags ON image_tags.image_id = images.id "
      "WHERE images.image_name = :name AND image_tags.tag = :tag LIMIT 2",
      reference.name,
      reference.tag);
}

}  // namespace

std::optional<std::string> find_image_id(soci::session& session, std::string_view text) {
  const std::string wanted(text);
  const std::optional<TaggedName> reference = split_tag(wanted);
  Ids ids = by_record_id(session, wanted);
  if (ids.empty()) {
    ids = by_image_id(session, wanted);
  }
  if (ids.empty() && reference) {
    ids = by_pull_reference(session, *reference);
  }
  if (ids.empty() && reference) {
    ids = by_name_and_tag(session, *reference);
  }
  return ids.size() == 1 ? std::optional(ids.front()) : std::nullopt;
}

}  // namespace freshet::store
