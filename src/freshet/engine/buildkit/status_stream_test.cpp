// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/status_stream.hpp"

#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using namespace std::chrono_literals;

TEST(StatusStream, is_translated_field_by_field) {
  moby::buildkit::v1::StatusResponse response;
  auto* vertex = response.add_vertexes();
  vertex->set_digest("sha256:1");
  vertex->set_name("[1/2] RUN x");
  vertex->set_cached(true);
  vertex->mutable_started()->set_seconds(10);
  vertex->mutable_started()->set_nanos(5);
  auto* status = response.add_statuses();
  status->set_vertex("sha256:1");
  status->set_id("transferring context:");
  status->set_current(7);
  status->mutable_completed()->set_seconds(1);
  auto* log = response.add_logs();
  log->set_vertex("sha256:1");
  log->set_stream(2);
  log->set_msg("\xff half a line");
  auto* warning = response.add_warnings();
  warning->set_short_text("JSONArgsRecommended");
  warning->add_ranges()->mutable_start()->set_line(4);

  const ProgressUpdate update = to_progress(response);

  ASSERT_EQ(update.vertices.size(), 1u);
  EXPECT_EQ(update.vertices[0].name, "[1/2] RUN x");
  EXPECT_TRUE(update.vertices[0].cached);
  EXPECT_EQ(update.vertices[0].started, BuildTime(10s + 5ns));
  EXPECT_EQ(update.vertices[0].completed, std::nullopt);
  ASSERT_EQ(update.statuses.size(), 1u);
  EXPECT_EQ(update.statuses[0].id, "transferring context:");
  EXPECT_EQ(update.statuses[0].current, 7);
  EXPECT_TRUE(update.statuses[0].is_complete);
  ASSERT_EQ(update.logs.size(), 1u);
  EXPECT_TRUE(update.logs[0].is_stderr);
  EXPECT_EQ(update.logs[0].bytes, "\xff half a line");
  ASSERT_EQ(update.warnings.size(), 1u);
  EXPECT_EQ(update.warnings[0].line, 4);
}

ProgressUpdate with(std::string digest, std::string name, std::string error) {
  Vertex vertex;
  vertex.digest = std::move(digest);
  vertex.name = std::move(name);
  vertex.error = std::move(error);
  ProgressUpdate update;
  update.vertices.push_back(vertex);
  return update;
}

TEST(FailedVertices, finds_the_one_that_the_failure_repeats) {
  FailedVertices vertices;
  vertices.note(with("b", "[a 1/2] RUN x", "exit code: 1"));
  vertices.note(with("a", "[b 1/2] RUN y", "exit code: 7"));
  EXPECT_EQ(vertices.find("", "failed to solve: exit code: 7").name, "[b 1/2] RUN y");
  EXPECT_EQ(vertices.find("b", "failed to solve: exit code: 7").name, "[a 1/2] RUN x");
}

TEST(FailedVertices, prefers_the_first_failure_to_what_was_cancelled_with_it) {
  FailedVertices vertices;
  vertices.note(with("a", "[a 1/2] RUN x", "exit code: 137: context canceled"));
  vertices.note(with("c", "[c 1/2] RUN z", "boom"));
  vertices.note(with("b", "[b 1/2] RUN y", "crash"));
  EXPECT_EQ(vertices.find("", "other words").name, "[c 1/2] RUN z");
}

TEST(FailedVertices, forgets_a_failure_that_a_later_report_takes_back) {
  FailedVertices vertices;
  vertices.note(with("a", "importing cache manifest from x", "not found"));
  vertices.note(with("a", "importing cache manifest from x", ""));
  EXPECT_EQ(vertices.find("", "").name, "");
}

}  // namespace
}  // namespace freshet::engine
