// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/image_store.hpp"

#include "freshet/store/git_columns.hpp"
#include "freshet/store/image_lookup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace freshet::store {
namespace {

std::string select_images(std::string_view rest) {
  return fmt::format(
      "SELECT id, internal_image_id, image_name, repo_digest, created_at, size_bytes, os, "
      "architecture, hash, dockerfile, {}, build_id, pipeline, step, build_duration_ms, "
      "push_duration_ms "
      "FROM images {}",
      k_git_columns,
      rest);
}

struct ImageRow {
  model::ImageRecord columns;
  long long created_at = 0;
  long long size_bytes = 0;
  long long build_duration_ms = 0;
  long long push_duration_ms = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(columns.id));
    statement.exchange(soci::into(columns.internal_image_id));
    statement.exchange(soci::into(columns.image_name));
    statement.exchange(soci::into(columns.repo_digest));
    statement.exchange(soci::into(created_at));
    statement.exchange(soci::into(size_bytes));
    statement.exchange(soci::into(columns.os));
    statement.exchange(soci::into(columns.architecture));
    statement.exchange(soci::into(columns.hash));
    statement.exchange(soci::into(columns.dockerfile));
    bind_git(statement, columns.git);
    statement.exchange(soci::into(columns.build_id));
    statement.exchange(soci::into(columns.pipeline));
    statement.exchange(soci::into(columns.step));
    statement.exchange(soci::into(build_duration_ms));
    statement.exchange(soci::into(push_duration_ms));
  }

  model::ImageRecord record() const {
    model::ImageRecord image = columns;
    image.created_at = from_stored(created_at);
    image.size_bytes = static_cast<std::uint64_t>(size_bytes);
    image.build_duration_ms = build_duration_ms;
    image.push_duration_ms = push_duration_ms;
    return image;
  }
};

struct LayerRow {
  model::ImageLayer columns;
  long long size_bytes = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(columns.instruction));
    statement.exchange(soci::into(size_bytes));
    statement.exchange(soci::into(columns.digest));
  }
  model::ImageLayer record() const {
    return {columns.instruction, static_cast<std::uint64_t>(size_bytes), columns.digest};
  }
};

struct TagRow {
  model::ImageTag columns;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(columns.registry));
    statement.exchange(soci::into(columns.repository));
    statement.exchange(soci::into(columns.tag));
    statement.exchange(soci::into(columns.integration));
  }
  model::ImageTag record() const { return columns; }
};

void load_parts(soci::session& session, model::ImageRecord& image) {
  image.layers = select<LayerRow>(
      session,
      "SELECT instruction, size_bytes, digest FROM image_layers WHERE image_id = :id ORDER BY "
      "number",
      image.id);
  image.tags = select<TagRow>(
      session,
      "SELECT registry, repository, tag, integration FROM image_tags WHERE image_id = :id "
      "ORDER BY position",
      image.id);
}

/// Keeps the id of a record that is there already, its digest when the new one has none (that one
/// tells of the last push, not of the last build), and its hash (the same image was made of that).
void upsert(soci::session& session, const model::ImageRecord& image) {
  change(
      session,
      fmt::format(
          "INSERT INTO images (id, internal_image_id, image_name, repo_digest, created_at, "
          "size_bytes, "
          "os, architecture, hash, dockerfile, {}, build_id, pipeline, step, build_duration_ms, "
          "push_duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
          "?, "
          "?) "
          "ON CONFLICT (internal_image_id) DO UPDATE SET image_name = excluded.image_name, "
          "repo_digest = iif(excluded.repo_digest = '', images.repo_digest, excluded.repo_digest), "
          "created_at = excluded.created_at, size_bytes = excluded.size_bytes, os = excluded.os, "
          "architecture = excluded.architecture, "
          "hash = iif(excluded.hash = '', images.hash, excluded.hash), dockerfile = "
          "excluded.dockerfile, "
          "repo_owner = excluded.repo_owner, repo_name = excluded.repo_name, "
          "branch = excluded.branch, revision = excluded.revision, "
          "commit_author = excluded.commit_author, commit_message = excluded.commit_message, "
          "commit_url = excluded.commit_url, build_id = excluded.build_id, "
          "pipeline = excluded.pipeline, step = excluded.step, "
          "build_duration_ms = excluded.build_duration_ms, "
          "push_duration_ms = excluded.push_duration_ms",
          k_git_columns),
      image.id.empty() ? make_id() : image.id,
      image.internal_image_id,
      image.image_name,
      image.repo_digest,
      to_stored(image.created_at),
      static_cast<long long>(image.size_bytes),
      image.os,
      image.architecture,
      image.hash,
      image.dockerfile,
      image.git.repo_owner,
      image.git.repo_name,
      image.git.branch,
      image.git.revision,
      image.git.commit_author,
      image.git.commit_message,
      image.git.commit_url,
      image.build_id,
      image.pipeline,
      image.step,
      static_cast<long long>(image.build_duration_ms),
      static_cast<long long>(image.push_duration_ms));
}

void replace_layers(
    soci::session& session, const std::string& id, const std::vector<model::ImageLayer>& layers) {
  change(session, "DELETE FROM image_layers WHERE image_id = :id", id);
  int number = 0;
  for (const model::ImageLayer& layer : layers) {
    change(
        session,
        "INSERT INTO image_layers (image_id, number, instruction, size_bytes, digest) "
        "VALUES (:id, :number, :instruction, :size, :digest)",
        id,
        ++number,
        layer.instruction,
        static_cast<long long>(layer.size_bytes),
        layer.digest);
  }
}

/// A tag names one image: when another record had it, it moves.
void put_tag(soci::session& session, const std::string& id, const model::ImageTag& tag) {
  change(
      session,
      "INSERT INTO image_tags (image_id, registry, repository, tag, integration) "
      "VALUES (:id, :registry, :repository, :tag, :integration) "
      "ON CONFLICT (registry, repository, tag) DO UPDATE SET image_id = excluded.image_id, "
      "integration = excluded.integration",
      id,
      tag.registry,
      tag.repository,
      tag.tag,
      tag.integration);
}

std::optional<std::string> id_of(soci::session& session, const std::string& internal_image_id) {
  const auto ids = select<TextRow>(
      session, "SELECT id FROM images WHERE internal_image_id = :id", internal_image_id);
  return ids.empty() ? std::nullopt : std::optional(ids.front());
}

}  // namespace

void SqliteImageStore::put(const model::ImageRecord& record) {
  database_.write([&](soci::session& session) {
    upsert(session, record);
    const std::string id = id_of(session, record.internal_image_id).value();
    replace_layers(session, id, record.layers);
    for (const model::ImageTag& tag : record.tags) {
      put_tag(session, id, tag);
    }
  });
}

void SqliteImageStore::add_tag(
    std::string_view internal_image_id, const model::ImageTag& tag, std::string_view repo_digest) {
  database_.write([&](soci::session& session) {
    const auto id = id_of(session, std::string(internal_image_id));
    if (!id) {
      throw Error(
          ErrorCode::not_found, fmt::format("there is no record of image '{}'", internal_image_id));
    }
    put_tag(session, *id, tag);
    if (!repo_digest.empty()) {
      change(
          session,
          "UPDATE images SET repo_digest = :digest WHERE id = :id",
          std::string(repo_digest),
          *id);
    }
  });
}

void SqliteImageStore::remove_tag(const model::ImageTag& tag) {
  database_.write([&](soci::session& session) {
    change(
        session,
        "DELETE FROM image_tags "
        "WHERE registry = :registry AND repository = :repository AND tag = :tag",
        tag.registry,
        tag.repository,
        tag.tag);
  });
}

std::vector<model::ImageRecord> SqliteImageStore::list(const ImageFilter& filter) {
  constexpr std::size_t k_most = std::numeric_limits<long long>::max();
  const auto limit = static_cast<long long>(std::min(filter.limit, k_most));
  return database_.read([&](soci::session& session) {
    auto images = select<ImageRow>(
        session,
        select_images("WHERE instr(image_name, :name) > 0 ORDER BY created_at DESC, position DESC "
                      "LIMIT :limit"),
        filter.name,
        limit);
    for (model::ImageRecord& image : images) {
      load_parts(session, image);
    }
    return images;
  });
}

std::vector<model::ImageRecord> SqliteImageStore::list_by_hash(std::string_view hash) {
  return database_.read([&](soci::session& session) {
    auto images = select<ImageRow>(
        session,
        select_images("WHERE hash = :hash AND hash <> '' ORDER BY created_at DESC, position DESC "
                      "LIMIT :limit"),
        std::string(hash),
        static_cast<long long>(k_max_found));
    for (model::ImageRecord& image : images) {
      load_parts(session, image);
    }
    return images;
  });
}

std::optional<model::ImageRecord> SqliteImageStore::find(std::string_view text) {
  return database_.read([&](soci::session& session) -> std::optional<model::ImageRecord> {
    const auto id = find_image_id(session, text);
    if (!id) {
      return std::nullopt;
    }
    model::ImageRecord image =
        select<ImageRow>(session, select_images("WHERE id = :id"), *id).at(0);
    load_parts(session, image);
    return image;
  });
}

}  // namespace freshet::store
