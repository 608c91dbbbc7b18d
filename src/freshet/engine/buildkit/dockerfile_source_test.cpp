// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/dockerfile_source.hpp"

#include "freshet/engine/testing/temp_tree.hpp"

#include <gmock/gmock.h>

namespace freshet::engine {
namespace {

using testing::ElementsAre;

class Dockerfile : public testing::Test {
 protected:
  DockerfileSource load(const fs::path& path) {
    BuildRequest request;
    request.context_directory = tree_.path() / "context";
    request.dockerfile = DockerfilePath{path};
    return load_dockerfile(request);
  }

  std::string failure_of(const fs::path& path) {
    try {
      load(path);
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  }

  static std::vector<std::string> served(const DockerfileSource& source) {
    std::vector<std::string> out;
    source.tree->list(FileFilter{}, [&](const FileEntry& entry) {
      const auto content = source.tree->open(entry.path);
      std::string text(content->size_bytes(), '\0');
      content->read(text.data(), text.size());
      out.push_back(entry.path + ": " + text);
      return true;
    });
    return out;
  }

  TempTree tree_;
};

TEST_F(Dockerfile, inside_the_context_is_served_under_its_name_with_its_own_ignore_file) {
  tree_.file("context/docker/app.dockerfile", "FROM a");
  tree_.file("context/docker/app.dockerfile.dockerignore", "*");
  tree_.file("context/docker/secret", "x");
  const auto source = load(tree_.path() / "context/docker/app.dockerfile");
  EXPECT_EQ(source.file_name, "app.dockerfile");
  EXPECT_EQ(source.label, "docker/app.dockerfile");
  EXPECT_THAT(
      served(source), ElementsAre("app.dockerfile: FROM a", "app.dockerfile.dockerignore: *"));
}

TEST_F(Dockerfile, may_be_outside_of_the_context) {
  tree_.directory("context");
  tree_.file("elsewhere/Dockerfile", "FROM a");
  const auto source = load(tree_.path() / "context/../elsewhere/Dockerfile");
  EXPECT_EQ(source.label, (tree_.path() / "elsewhere/Dockerfile").string());
  EXPECT_THAT(served(source), ElementsAre("Dockerfile: FROM a"));
}

TEST_F(Dockerfile, may_be_a_link_that_stays_inside_the_context) {
  tree_.file("context/common/base", "FROM a");
  tree_.link("context/app/Dockerfile", "../common/base");
  EXPECT_THAT(
      served(load(tree_.path() / "context/app/Dockerfile")), ElementsAre("Dockerfile: FROM a"));
}

TEST_F(Dockerfile, is_refused_when_it_is_a_link_that_leads_out) {
  tree_.file("secret", "password");
  tree_.link("context/Dockerfile", "../secret");
  EXPECT_EQ(
      failure_of(tree_.path() / "context/Dockerfile"),
      "the Dockerfile 'Dockerfile' is a link that leads out of its directory");
}

TEST_F(Dockerfile, in_lower_case_is_taken_where_the_usual_one_is_missing) {
  tree_.file("context/dockerfile", "FROM lower");
  EXPECT_THAT(
      served(load(tree_.path() / "context/Dockerfile")), ElementsAre("Dockerfile: FROM lower"));
}

TEST_F(Dockerfile, that_is_missing_is_named) {
  tree_.directory("context/directory");
  const fs::path absent = tree_.path() / "context/Dockerfile";
  EXPECT_EQ(failure_of(absent), "no Dockerfile found at '" + absent.string() + "'");
  EXPECT_EQ(
      failure_of(tree_.path() / "nowhere/Dockerfile"),
      "no Dockerfile found at '" + (tree_.path() / "nowhere/Dockerfile").string() + "'");
  EXPECT_EQ(
      failure_of(tree_.path() / "context/directory"), "the Dockerfile 'directory' is not a file");
}

TEST_F(Dockerfile, may_be_given_as_text) {
  BuildRequest request;
  request.context_directory = tree_.path();
  request.dockerfile = DockerfileText{"FROM scratch"};
  const auto source = load_dockerfile(request);
  EXPECT_EQ(source.file_name, "Dockerfile");
  EXPECT_EQ(source.label, "inline Dockerfile");
  EXPECT_THAT(served(source), ElementsAre("Dockerfile: FROM scratch"));
}

TEST_F(Dockerfile, may_be_a_file_that_is_sent_with_another_text) {
  tree_.file("context/a.dockerfile", "FROM written");
  tree_.file("context/a.dockerfile.dockerignore", "*.o");
  BuildRequest request;
  request.context_directory = tree_.path() / "context";
  request.dockerfile = DockerfilePath{tree_.path() / "context/a.dockerfile", "FROM meant"};
  EXPECT_THAT(
      served(load_dockerfile(request)),
      ElementsAre("a.dockerfile: FROM meant", "a.dockerfile.dockerignore: *.o"));
}

}  // namespace
}  // namespace freshet::engine
