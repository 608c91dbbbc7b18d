// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/solve_request.hpp"

#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

TEST(SolveRequest, carries_everything_that_decides_about_the_image) {
  BuildRequest request;
  request.target = "app";
  request.build_arguments = {{"VERSION", "1=2"}, {"EMPTY", ""}};
  request.labels = {{"org.example.key", "value"}};
  request.no_cache = true;
  const auto out = make_solve_request(request, "Docker file", "ref", "session");
  EXPECT_EQ(out.ref(), "ref");
  EXPECT_EQ(out.session(), "session");
  EXPECT_EQ(out.frontend(), "dockerfile.v0");
  const std::map<std::string, std::string> attributes(
      out.frontend_attributes().begin(), out.frontend_attributes().end());
  const std::map<std::string, std::string> expected = {
      {"filename", "Docker file"},
      {"image-resolve-mode", "local"},
      {"target", "app"},
      {"no-cache", ""},
      {"build-arg:VERSION", "1=2"},
      {"build-arg:EMPTY", ""},
      {"label:org.example.key", "value"},
  };
  EXPECT_EQ(attributes, expected);
}

TEST(SolveRequest, always_names_the_exporter_twice_and_has_a_cache) {
  const auto out = make_solve_request(BuildRequest{}, "Dockerfile", "r", "s");
  EXPECT_EQ(out.exporter(), "moby");
  ASSERT_EQ(out.exporters_size(), 1);
  EXPECT_EQ(out.exporters(0).type(), "moby");
  EXPECT_TRUE(out.has_cache());
  EXPECT_FALSE(out.frontend_attributes().contains("no-cache"));
  EXPECT_FALSE(out.frontend_attributes().contains("target"));
}

TEST(SolveRequest, names_cache_sources_to_the_builder_and_to_its_frontend) {
  BuildRequest request;
  request.cache_sources = {"registry.test/a@sha256:1", "registry.test/b@sha256:2"};
  const auto out = make_solve_request(request, "Dockerfile", "r", "s");
  EXPECT_EQ(
      out.frontend_attributes().at("cache-imports"),
      R"([{"Type":"registry","Attrs":{"ref":"registry.test/a@sha256:1"}},)"
      R"({"Type":"registry","Attrs":{"ref":"registry.test/b@sha256:2"}}])");
  ASSERT_EQ(out.cache().imports_size(), 2);
  EXPECT_EQ(out.cache().imports(1).type(), "registry");
  EXPECT_EQ(out.cache().imports(1).attributes().at("ref"), "registry.test/b@sha256:2");
  EXPECT_EQ(out.cache().exports_size(), 0);
}

TEST(SolveRequest, exports_the_cache_in_the_image_when_that_is_asked_for) {
  BuildRequest request;
  request.exports_inline_cache = true;
  const auto out = make_solve_request(request, "Dockerfile", "r", "s");
  ASSERT_EQ(out.cache().exports_size(), 1);
  EXPECT_EQ(out.cache().exports(0).type(), "inline");
  EXPECT_FALSE(out.frontend_attributes().contains("cache-imports"));
}

}  // namespace
}  // namespace freshet::engine
