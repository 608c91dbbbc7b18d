// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/session_services.hpp"

#include "freshet/engine/buildkit/testing/fake_builder.hpp"
#include "freshet/engine/testing/temp_tree.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

namespace freshet::engine {
namespace {

using testing::ElementsAre;

SessionContent content_of(const TempTree& tree) {
  SessionContent content;
  content.trees["context"] = std::make_shared<DirectoryTree>(tree.path());
  return content;
}

TEST(FileSync, refuses_a_directory_that_it_does_not_have) {
  const TempTree tree;
  FakeBuilder builder(content_of(tree));
  auto transfer = builder.sync("/etc");
  EXPECT_EQ(transfer.next(), "end");
  EXPECT_EQ(transfer.status().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST(FileSync, obeys_the_filter_in_the_metadata_in_its_order) {
  TempTree tree;
  tree.file("a");
  tree.file("b");
  tree.file("c/d");
  FakeBuilder builder(content_of(tree));
  auto excluding = builder.sync("context", {{"exclude-patterns", "*"}, {"exclude-patterns", "!b"}});
  EXPECT_THAT(excluding.listing(), ElementsAre("b"));
  excluding.hang_up();
  auto following = builder.sync("context", {{"followpaths", "c/d"}});
  EXPECT_THAT(following.listing(), ElementsAre("c", "c/d"));
  following.hang_up();
}

TEST(FileSync, reads_escaped_names_that_are_not_ascii) {
  TempTree tree;
  tree.file("größe + x%");
  tree.file("other");
  FakeBuilder builder(content_of(tree));
  auto escaped = builder.sync(
      "context", {{"followpaths", "gr%C3%B6%C3%9Fe+%2B+x%25"}, {"followpaths-encoded", "1"}});
  EXPECT_THAT(escaped.listing(), ElementsAre("größe + x%"));
  escaped.hang_up();
}

TEST(FileSync, takes_unescaped_names_as_they_are) {
  // Old daemons send raw UTF-8, which our own client library refuses to send.
  const std::multimap<grpc::string_ref, grpc::string_ref> metadata = {
      {"followpaths", "größe + x%20"}, {"followpaths", "b"}};
  EXPECT_THAT(filter_from(metadata).follow_paths, ElementsAre("größe + x%20", "b"));
}

TEST(FileSync, takes_long_ignore_files) {
  TempTree tree;
  tree.file("kept");
  tree.file("ignored-0999-with-a-rather-long-name");
  FakeBuilder builder(content_of(tree));
  FakeBuilder::Metadata lines;
  for (int i = 0; i < 1000; ++i) {
    lines.emplace_back(
        "exclude-patterns",
        "ignored-" + std::string(i < 999 ? "x" : "0999") + "-with-a-rather-long-name");
  }
  auto transfer = builder.sync("context", lines);
  EXPECT_THAT(transfer.listing(), ElementsAre("kept"));
  transfer.hang_up();
}

TEST(FileSync, fails_on_a_malformed_pattern) {
  const TempTree tree;
  FakeBuilder builder(content_of(tree));
  auto transfer = builder.sync("context", {{"exclude-patterns", "a["}});
  EXPECT_EQ(transfer.next(), "ERR pattern 'a[' is malformed");
  transfer.hang_up();
}

TEST(FileSync, counts_only_the_context) {
  const TempTree tree;
  SessionContent content = content_of(tree);
  auto dockerfile = std::make_shared<MemoryTree>();
  dockerfile->add("Dockerfile", "FROM a");
  content.trees["dockerfile"] = dockerfile;
  FakeBuilder builder(std::move(content));
  auto transfer = builder.sync("dockerfile");
  transfer.listing();
  transfer.request(0);
  EXPECT_EQ(transfer.data(0), "FROM a");
  transfer.hang_up();
  EXPECT_EQ(builder.server().context_sent().files, 0u);
  EXPECT_EQ(builder.server().context_sent().bytes, 0u);
}

TEST(Credentials, are_looked_up_by_registry) {
  SessionContent content;
  content.credentials = [](std::string_view host) -> std::optional<RegistryAuth> {
    if (host == "docker.io" || host == "reg.example:5000") {
      return RegistryAuth{std::string(host), "user of " + std::string(host), Secret("secret")};
    }
    if (host == "broken.example") {
      throw std::runtime_error("helper printed: hunter2");
    }
    return std::nullopt;
  };
  FakeBuilder builder(std::move(content));
  EXPECT_EQ(builder.credentials("reg.example:5000"), "user of reg.example:5000:secret");
  EXPECT_EQ(builder.credentials("registry-1.docker.io"), "user of docker.io:secret");
  EXPECT_EQ(builder.credentials("other.example"), ":");
  EXPECT_EQ(
      builder.credentials("broken.example"), "the credentials of this registry cannot be read");
}

TEST(Credentials, are_empty_when_there_is_no_source) {
  FakeBuilder builder(SessionContent{});
  EXPECT_EQ(builder.credentials("reg.example"), ":");
}

TEST(Health, is_served) {
  FakeBuilder builder(SessionContent{});
  EXPECT_TRUE(builder.is_healthy());
}

}  // namespace
}  // namespace freshet::engine
