// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/build_store.hpp"

#include "freshet/store/git_columns.hpp"

#include <fmt/format.h>

namespace freshet::store {
namespace {

std::string select_builds(std::string_view rest) {
  return fmt::format(
      "SELECT id, pipeline, result, reason, {}, started_at, finished_at FROM builds {}",
      k_git_columns,
      rest);
}

struct BuildRow {
  model::BuildRecord columns;
  std::string result;
  long long started_at = 0;
  long long finished_at = 0;
  soci::indicator has_finished = soci::i_null;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(columns.id));
    statement.exchange(soci::into(columns.pipeline));
    statement.exchange(soci::into(result));
    statement.exchange(soci::into(columns.reason));
    bind_git(statement, columns.git);
    statement.exchange(soci::into(started_at));
    statement.exchange(soci::into(finished_at, has_finished));
  }

  model::BuildRecord record() const {
    model::BuildRecord build = columns;
    const auto known = model::step_result_from_string(result);
    if (!known) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format("build '{}' has the unknown result '{}'", columns.id, result));
    }
    build.result = *known;
    build.started_at = from_stored(started_at);
    if (has_finished == soci::i_ok) {
      build.finished_at = from_stored(finished_at);
    }
    return build;
  }
};

bool is_known(soci::session& session, const std::string& id) {
  return !select<TextRow>(session, "SELECT id FROM builds WHERE id = :id", id).empty();
}

}  // namespace

void SqliteBuildStore::add(const model::BuildRecord& build) {
  const long long finished_at = build.finished_at ? to_stored(*build.finished_at) : -1;
  database_.write([&](soci::session& session) {
    if (is_known(session, build.id)) {
      throw Error(
          ErrorCode::conflict, fmt::format("a build with the id '{}' exists already", build.id));
    }
    change(
        session,
        fmt::format(
            "INSERT INTO builds (id, pipeline, result, reason, {}, started_at, finished_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, -1))",
            k_git_columns),
        build.id,
        build.pipeline,
        std::string(to_string(build.result)),
        build.reason,
        build.git.repo_owner,
        build.git.repo_name,
        build.git.branch,
        build.git.revision,
        build.git.commit_author,
        build.git.commit_message,
        build.git.commit_url,
        to_stored(build.started_at),
        finished_at);
  });
}

void SqliteBuildStore::finish(
    std::string_view id, model::StepResult result, std::string_view reason) {
  FRESHET_ASSERT(result != model::StepResult::pending && result != model::StepResult::running);
  const std::string build(id);
  database_.write([&](soci::session& session) {
    if (!is_known(session, build)) {
      throw Error(ErrorCode::not_found, fmt::format("there is no build with the id '{}'", build));
    }
    change(
        session,
        "UPDATE builds SET result = :result, reason = :reason, finished_at = :finished_at "
        "WHERE id = :id AND finished_at IS NULL",
        std::string(to_string(result)),
        std::string(reason),
        to_stored(now()),
        build);
  });
}

std::optional<model::BuildRecord> SqliteBuildStore::find(std::string_view id) {
  const auto found = database_.read([&](soci::session& session) {
    return select<BuildRow>(session, select_builds("WHERE id = :id"), std::string(id));
  });
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::vector<model::BuildRecord> SqliteBuildStore::list_running() {
  return database_.read([](soci::session& session) {
    return select<BuildRow>(session, select_builds("WHERE finished_at IS NULL ORDER BY position"));
  });
}

}  // namespace freshet::store
