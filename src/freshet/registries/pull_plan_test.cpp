// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/pull_plan.hpp"

#include "freshet/base/testing/run.hpp"

#include <gtest/gtest.h>

namespace freshet::registries {
namespace {

using freshet::testing::error_of;
using model::RegistryIntegration;

RegistryIntegration integration(
    std::string name, std::string domain, std::string prefix = "", bool is_primary = false) {
  RegistryIntegration out;
  out.id = "id-" + name;
  out.name = std::move(name);
  out.domain = std::move(domain);
  out.repository_prefix = std::move(prefix);
  out.is_primary = is_primary;
  return out;
}

/// `name reference` of every candidate, `nobody` for anonymous ones.
std::string shown(const std::vector<PullCandidate>& candidates) {
  std::string out;
  for (const PullCandidate& candidate : candidates) {
    const std::string who =
        candidate.integration ? candidate.integration->name : std::string("nobody");
    out += fmt::format(
        "{}{} {}\n", who, candidate.is_mirror ? "'s mirror" : "", candidate.reference.to_string());
  }
  return out;
}

std::string plan(
    const std::vector<RegistryIntegration>& all,
    std::string_view image,
    const std::vector<std::string>& contexts = {}) {
  return shown(resolve_pull(all, oci::Reference::parse(image), contexts));
}

TEST(PullPlan, is_anonymous_where_nothing_is_connected) {
  EXPECT_EQ(plan({}, "alpine:3"), "nobody docker.io/library/alpine:3\n");
  EXPECT_EQ(plan({integration("a", "r.example")}, "r.example:5000/x"), "nobody r.example:5000/x\n");
  EXPECT_EQ(
      plan({integration("a", "r.example")}, "r.example.evil.com/x"),
      "nobody r.example.evil.com/x\n");
}

TEST(PullPlan, takes_the_only_one_whatever_its_flag_and_prefix) {
  EXPECT_EQ(plan({integration("a", "r.example", "team")}, "R.example/x:1"), "a r.example/x:1\n");
}

TEST(PullPlan, takes_docker_hub_s_integration_for_unqualified_names) {
  const std::vector all{integration("a", "docker.io"), integration("b", "docker.io", "", true)};
  EXPECT_EQ(plan(all, "acme/x"), "b docker.io/acme/x\n");
  EXPECT_EQ(plan(all, "acme/x", {"a"}), "a docker.io/acme/x\n");
  EXPECT_EQ(plan(all, "index.docker.io/acme/x"), "b docker.io/acme/x\n");
}

TEST(PullPlan, takes_the_longest_prefix_in_whole_components_before_the_primary_one) {
  const std::vector all{
      integration("main", "r.example", "", true),
      integration("org1", "r.example", "org1"),
      integration("app", "r.example", "org1/app"),
      integration("org10", "r.example", "org10")};
  EXPECT_EQ(plan(all, "r.example/org1/x"), "org1 r.example/org1/x\n");
  EXPECT_EQ(plan(all, "r.example/org1/app/x"), "app r.example/org1/app/x\n");
  EXPECT_EQ(plan(all, "r.example/org1/app"), "app r.example/org1/app\n");
  EXPECT_EQ(plan(all, "r.example/org1/apple"), "org1 r.example/org1/apple\n");
  EXPECT_EQ(plan(all, "r.example/org10/x"), "org10 r.example/org10/x\n");
  EXPECT_EQ(plan(all, "r.example/org100/x"), "main r.example/org100/x\n");
  EXPECT_EQ(plan(all, "r.example/x", {"org10"}), "org10 r.example/x\n");
}

TEST(PullPlan, takes_the_primary_one_among_equal_prefixes) {
  const std::vector all{
      integration("a", "r.example", "team"), integration("b", "r.example", "team", true)};
  EXPECT_EQ(plan(all, "r.example/team/x"), "b r.example/team/x\n");
}

TEST(PullPlan, heeds_a_context_for_its_own_domain_only) {
  const std::vector all{
      integration("a", "gcr.io", "", true),
      integration("b", "gcr.io"),
      integration("us", "us.gcr.io", "", true)};
  EXPECT_EQ(plan(all, "gcr.io/p/x", {"us", "b"}), "b gcr.io/p/x\n");
  EXPECT_EQ(plan(all, "us.gcr.io/p/x", {"b"}), "us us.gcr.io/p/x\n");
}

TEST(PullPlan, refuses_contexts_that_do_not_exist_or_share_a_domain) {
  const std::vector all{integration("gcr-a", "gcr.io"), integration("gcr-b", "gcr.io")};
  EXPECT_EQ(
      error_of([&] { plan(all, "x", {"gcr-c"}); }),
      "invalid_input\nerror: registry 'gcr-c' does not exist\nhint: did you mean 'gcr-a'?\n");
  EXPECT_EQ(
      error_of([&] { plan(all, "x", {"elsewhere"}); }),
      "invalid_input\nerror: registry 'elsewhere' does not exist\n"
      "hint: connect it with 'freshet registry add'\n");
  EXPECT_EQ(
      error_of([&] {
        plan(all, "x", {"gcr-a", "gcr-b"});
      }),
      "invalid_input\n"
      "error: registry contexts 'gcr-a' and 'gcr-b' have the same domain 'gcr.io'\n"
      "hint: a step pulls from one domain with one of them: leave the other out\n");
}

TEST(PullPlan, ends_with_the_fallback_and_not_with_that_one_s) {
  std::vector all{
      integration("a", "a.example", "team"),
      integration("b", "b.example", "mirror/of"),
      integration("c", "c.example")};
  all[0].fallback_id = "id-b";
  all[1].fallback_id = "id-c";
  EXPECT_EQ(plan(all, "a.example/team/x:1"), "a a.example/team/x:1\nb b.example/mirror/of/x:1\n");
  EXPECT_EQ(plan(all, "a.example/other/x:1"), "a a.example/other/x:1\nb b.example/other/x:1\n");
  EXPECT_EQ(
      resolve_pull(all, oci::Reference::parse("a.example/x")).at(1).reason,
      "registry 'b' is the fallback of 'a'");
  all[0].fallback_id = "id-a";
  EXPECT_EQ(plan(all, "a.example/x:1"), "a a.example/x:1\n");
}

TEST(PullPlan, keeps_library_and_digest_on_the_way_to_the_fallback) {
  std::vector all{integration("hub", "docker.io"), integration("b", "b.example")};
  all[0].fallback_id = "id-b";
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(
      plan(all, "alpine@" + digest),
      "hub docker.io/library/alpine@" + digest + "\nb b.example/library/alpine@" + digest + "\n");
}

TEST(PullPlan, begins_with_the_mirror) {
  std::vector all{integration("hub", "docker.io")};
  all[0].connection.mirror = "mirror.example:5000/hub";
  EXPECT_EQ(
      plan(all, "alpine:3"),
      "hub's mirror mirror.example:5000/hub/library/alpine:3\nhub docker.io/library/alpine:3\n");
  all.push_back(integration("mine", "mirror.example:5000"));
  EXPECT_EQ(
      plan(all, "alpine:3"),
      "mine mirror.example:5000/hub/library/alpine:3\nhub docker.io/library/alpine:3\n");
}

}  // namespace
}  // namespace freshet::registries
