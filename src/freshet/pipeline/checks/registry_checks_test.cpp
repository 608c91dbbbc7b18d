// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/checks/registry_checks.hpp"

#include "freshet/pipeline/yaml/testing/findings_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Connected = std::vector<model::RegistryIntegration>;

model::RegistryIntegration integration(std::string name, std::string domain) {
  model::RegistryIntegration made;
  made.id = "id-" + name;
  made.name = std::move(name);
  made.domain = std::move(domain);
  if (made.domain.find(".dkr.ecr.") != std::string::npos) {
    made.provider = model::Provider::ecr;
    made.region = "eu-west-1";
  }
  return made;
}

model::RegistryIntegration as_default(model::RegistryIntegration made) {
  made.is_default = true;
  return made;
}

const model::RegistryIntegration k_local = integration("local", "r.example.com:5000");
const model::RegistryIntegration k_ecr =
    integration("aws", "123456789012.dkr.ecr.eu-west-1.amazonaws.com");

std::vector<std::string> check(
    const std::string& steps,
    const Connected& connected,
    model::PushMode push_mode = model::PushMode::automatic) {
  Diagnostics diagnostics;
  const PipelineCheck find_problems = [&](const Pipeline& pipeline, Diagnostics& findings) {
    check_registries(pipeline, connected, push_mode, findings);
  };
  const std::string text = "version: '1.0'\nsteps:\n" + steps;
  return testing::to_texts(parse_pipeline(text, "p.yml", find_problems).diagnostics);
}

/// A step with `fields`, one a line: they start on line 6, in column 5.
std::string step(const std::string& start, const std::string& fields) {
  std::string out = start;
  std::size_t from = 0;
  while (from < fields.size()) {
    const std::size_t end = std::min(fields.find('\n', from), fields.size());
    out += "    " + fields.substr(from, end - from) + "\n";
    from = end + 1;
  }
  return out;
}

std::string build(const std::string& fields) {
  return step("  b:\n    type: build\n    image_name: app\n", fields);
}

std::string push(const std::string& fields) {
  return step("  p:\n    type: push\n    candidate: app\n", fields);
}

std::string freestyle(const std::string& fields) {
  return step("  f:\n    title: x\n    image: app\n", fields);
}

TEST(CheckRegistries, known_names_and_variables_pass) {
  const Connected connected{as_default(k_local)};
  EXPECT_THAT(check(build("registry: local"), connected), IsEmpty());
  EXPECT_THAT(check(push("registry: ${{REGISTRY}}"), connected), IsEmpty());
  EXPECT_THAT(check(push("registry: prod-${{ZONE}}"), connected), IsEmpty());
  EXPECT_THAT(check(push("registry_context: local"), connected), IsEmpty());
  EXPECT_THAT(check(build("registry_contexts: [local, '${{X}}']"), connected), IsEmpty());
  EXPECT_THAT(check(freestyle("registry_context: local"), connected), IsEmpty());
  EXPECT_THAT(check("  f:\n    image: alpine\n", {}), IsEmpty());
}

TEST(CheckRegistries, an_unknown_name_is_an_error_with_the_nearest_known_one) {
  EXPECT_THAT(
      check(
          build("registry: dokcerhub") + push("registry: nowhere"),
          {as_default(integration("dockerhub", "docker.io")), integration("gcr", "gcr.io")}),
      ElementsAre(
          "6:15 error: registry 'dokcerhub' does not exist (did you mean 'dockerhub'?)",
          "10:15 error: registry 'nowhere' does not exist (connect it with 'freshet registry "
          "add')"));
}

TEST(CheckRegistries, unknown_contexts_are_all_told_also_beside_other_errors) {
  EXPECT_THAT(
      check(
          build("registry_contexts: [locale, local]\nregsitry: x") +
              push("registry_context: nowhere") + freestyle("registry_context: lokal"),
          {as_default(k_local)}),
      ElementsAre(
          "6:25 error: registry 'locale' does not exist (did you mean 'local'?)",
          "7:5 error: 'regsitry' is not allowed (did you mean 'registry'?)",
          "11:23 error: registry 'nowhere' does not exist (connect it with 'freshet registry "
          "add')",
          "15:23 error: registry 'lokal' does not exist (did you mean 'local'?)"));
}

TEST(CheckRegistries, two_contexts_of_one_domain_are_an_error) {
  const Connected connected{
      as_default(integration("gcr-a", "gcr.io")),
      integration("gcr-b", "gcr.io"),
      integration("gcr-us", "us.gcr.io")};
  EXPECT_THAT(
      check(build("registry_contexts: [gcr-a, gcr-us, gcr-b]"), connected),
      ElementsAre(
          "6:40 error: registry contexts 'gcr-a' and 'gcr-b' have the same domain 'gcr.io' (a step "
          "pulls from one domain with one of them: leave the other out)"));
  EXPECT_THAT(check(build("registry_contexts: [gcr-a]\nregistry: gcr-b"), connected), IsEmpty());
}

TEST(CheckRegistries, a_host_means_the_registry_that_is_connected_for_it) {
  const Connected connected{as_default(k_local)};
  EXPECT_THAT(check(push("registry: R.example.com:5000"), connected), IsEmpty());
  EXPECT_THAT(check(build("registry: https://r.example.com:5000/"), connected), IsEmpty());
  EXPECT_THAT(
      check(push("registry: r.example.com"), connected),
      ElementsAre(
          "6:15 error: no registry is connected for 'r.example.com' (connect it with 'freshet "
          "registry add', or give the step 'credentials')"));
  EXPECT_THAT(
      check(build("registry: r.example.com"), connected),
      ElementsAre(
          "6:15 error: no registry is connected for 'r.example.com' (connect it with 'freshet "
          "registry add'; only push steps may have 'credentials')"));
}

TEST(CheckRegistries, a_host_with_credentials_needs_no_integration) {
  const std::string login = "\ncredentials: {username: a, password: b}";
  EXPECT_THAT(check(push("registry: dtr.host.com" + login), {}), IsEmpty());
  EXPECT_THAT(check(push("registry: https://dtr.host.com:8443/x" + login), {k_local}), IsEmpty());
  EXPECT_THAT(check(push("provider: docker" + login), {}), IsEmpty());
  EXPECT_THAT(check(push("registry: ${{HOST}}" + login), {}), IsEmpty());
}

TEST(CheckRegistries, a_host_without_dot_is_a_name) {
  const std::string login = "\ncredentials: {username: a, password: b}";
  EXPECT_THAT(
      check(push("registry: localhost:5000" + login), {k_local}),
      ElementsAre(
          "6:15 error: registry 'localhost:5000' does not exist (connect it with 'freshet registry "
          "add')"));
  EXPECT_THAT(
      check(push("registry: local" + login), {k_local}),
      ElementsAre(
          "6:15 error: 'credentials' are for a registry that is given by its address, 'local' is a "
          "connected one (leave 'credentials' out, or write the host in 'registry')"));
}

TEST(CheckRegistries, a_push_to_ecr_by_keys_needs_all_of_them) {
  EXPECT_THAT(
      check(push("provider: ecr\naccessKeyId: A\nsecretAccessKey: ${{S}}\nregion: eu-west-1"), {}),
      IsEmpty());
  EXPECT_THAT(
      check(push("provider: ecr\naccessKeyId: A\nregistry: x.y\nrole_arn: z"), {}),
      ElementsAre(
          "6:15 error: 'secretAccessKey' is required for a push to Amazon ECR with its own keys",
          "6:15 error: 'region' is required for a push to Amazon ECR with its own keys",
          "8:15 warning: 'registry' has no effect here (AWS says where the keys push to)",
          "9:15 error: 'role_arn' is not supported beside keys of the step's own (connect the keys "
          "as an ECR integration and name it in 'registry')",
          "9:15 error: 'z' is not the ARN of a role (write 'arn:aws:iam::ACCOUNT:role/NAME', the "
          "account in 12 digits)"));
  EXPECT_THAT(check(push("provider: ecr\nregistry: aws"), {k_ecr}), IsEmpty());
  EXPECT_THAT(
      check(push("provider: ecr\nregistry: local"), {k_local}),
      ElementsAre("6:15 error: provider 'ecr' needs 'accessKeyId' and 'secretAccessKey', or an ECR "
                  "integration in 'registry'"));
  EXPECT_THAT(
      check(push("registry: local\naccessKeyId: A"), {k_local}),
      ElementsAre("7:18 warning: 'accessKeyId' has no effect here (it is for 'provider: ecr')"));
}

TEST(CheckRegistries, properties_of_ecr_are_checked_wherever_they_stand) {
  const std::string role = "role_arn: arn:aws:iam::123456789012:role/x\n";
  EXPECT_THAT(
      check(
          push("registry: aws\nregion: us-east-2\n" + role + "aws_duration_seconds: 900"), {k_ecr}),
      IsEmpty());
  EXPECT_THAT(check(build("registry: aws\nregion: ${{REGION}}\n"), {k_ecr}), IsEmpty());
  EXPECT_THAT(
      check(build("registry: local\nregion: us-east-2"), {k_local}),
      ElementsAre(
          "7:13 error: 'region' is for registries of Amazon ECR, 'local' is none (leave 'region' "
          "out, or name an ECR integration in 'registry')"));
  EXPECT_THAT(
      check(build("region: us-east-2"), {as_default(k_local)}),
      ElementsAre(
          "6:13 error: 'region' is for registries of Amazon ECR, 'local' is none (leave 'region' "
          "out, or name an ECR integration in 'registry')"));
  EXPECT_THAT(
      check(
          push("registry: aws\nregion: mars-1\nrole_arn: arn:aws:iam:x\naws_duration_seconds: 60"),
          {k_ecr}),
      ElementsAre(
          "7:13 error: 'mars-1' is not a region of AWS (write one such as 'eu-west-1', or a "
          "variable)",
          "8:15 error: 'arn:aws:iam:x' is not the ARN of a role (write "
          "'arn:aws:iam::ACCOUNT:role/NAME', the account in 12 digits)",
          "9:27 error: 'aws_duration_seconds' is 60, it has to be 900 to 3600"));
  EXPECT_THAT(
      check(push("registry: aws\naws_duration_seconds: 900"), {k_ecr}),
      ElementsAre(
          "7:27 error: 'aws_duration_seconds' says how long a role is taken, and there is no "
          "'role_arn'"));
}

TEST(CheckRegistries, a_role_for_pulling_needs_a_context) {
  const std::string role = "role_arn: arn:aws:iam::123456789012:role/x";
  EXPECT_THAT(check(freestyle("registry_context: aws\n" + role), {k_ecr}), IsEmpty());
  EXPECT_THAT(
      check(freestyle(role), {k_ecr}),
      ElementsAre("6:15 error: step 'f' has a 'role_arn', but no 'registry_context' (name the ECR "
                  "integration that pulls the image in 'registry_context')"));
}

TEST(CheckRegistries, pushing_needs_a_registry) {
  const std::string expected =
      "3:3 error: step 'p' pushes an image, but no registry is connected (connect one with "
      "'freshet registry add')";
  EXPECT_THAT(check(push("tag: v1"), {}), ElementsAre(expected));
  EXPECT_THAT(check(push("registry: local"), {}), ElementsAre(expected));
}

TEST(CheckRegistries, a_push_that_leaves_the_choice_among_several_is_warned_of) {
  EXPECT_THAT(check(push("tag: v1"), {k_local}), IsEmpty());
  EXPECT_THAT(
      check(push("tag: v1"), {as_default(k_local), k_ecr}),
      ElementsAre(
          "3:3 warning: step 'p' names no registry, it pushes to the default one (connected "
          "are local, aws)"));
}

TEST(CheckRegistries, a_build_that_will_not_be_pushed_is_warned_of) {
  EXPECT_THAT(check(build("tag: v1"), {as_default(k_local)}), IsEmpty());
  EXPECT_THAT(check(build("disable_push: true"), {}), IsEmpty());
  EXPECT_THAT(
      check(build("tag: v1"), {k_local}),
      ElementsAre(
          "3:3 warning: the image of step 'b' will not be pushed, no default registry is set "
          "(name a 'registry', or set a default with 'freshet registry set-default')"));
}

TEST(CheckRegistries, a_build_has_to_say_where_it_is_pushed_where_the_push_mode_is_explicit) {
  const Connected connected{as_default(k_local)};
  const auto mode = model::PushMode::explicit_only;
  const std::string refused =
      "3:3 error: step 'b' does not say where its image is pushed (name a 'registry', or write "
      "'disable_push: true'; 'freshet registry push-mode auto' has such images pushed to the "
      "default registry)";
  EXPECT_THAT(check(build("tag: v1"), connected, mode), ElementsAre(refused));
  EXPECT_THAT(check(build("disable_push: false"), connected, mode), ElementsAre(refused));
  EXPECT_THAT(check(build("disable_push: ${{DRY}}"), connected, mode), IsEmpty());
  EXPECT_THAT(check(build("disable_push: true"), connected, mode), IsEmpty());
  EXPECT_THAT(check(build("registry: local"), connected, mode), IsEmpty());
}

TEST(CheckRegistries, a_build_that_is_never_pushed_needs_no_default_registry) {
  const auto mode = model::PushMode::never;
  EXPECT_THAT(check(build("tag: v1"), {}, mode), IsEmpty());
  EXPECT_THAT(
      check(build("disable_push: false"), {k_local}, mode),
      ElementsAre(
          "3:3 warning: the image of step 'b' will not be pushed, no default registry is set "
          "(name a 'registry', or set a default with 'freshet registry set-default')"));
}

}  // namespace
}  // namespace freshet::pipeline
