// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/naming.hpp"

#include "freshet/base/error.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace freshet::registries {
namespace {

constexpr auto k_built = NameSource::build_image_name;
constexpr auto k_typed = NameSource::push_image_name;
constexpr auto k_explicit = NameSource::explicit_candidate;
constexpr auto k_build = NameSource::build_candidate;

const std::string k_azure = "acmereg.azurecr.io";

struct Row {
  PushTarget target;
  std::string result;
};

void expect_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(compose_push_reference(row.target).to_string(), row.result) << row.target.name;
  }
}

TEST(PushReference, is_composed_as_the_table_of_the_specification_says) {
  expect_all({
      {{k_azure, "", "acme/web", k_built, "latest"}, "acmereg.azurecr.io/acme/web:latest"},
      {{k_azure, "acme", "web", k_built, "latest"}, "acmereg.azurecr.io/acme/web:latest"},
      {{"ghcr.io", "ghuser", "article-app", k_built, "2.0.0"}, "ghcr.io/ghuser/article-app:2.0.0"},
      {{"docker.io", "", "hubuser/web", k_built, "latest"}, "docker.io/hubuser/web:latest"},
      {{"docker.io", "", "my-app", k_built, "v1"}, "docker.io/library/my-app:v1"},
      {{"docker.pkg.github.com", "ghuser", "some-repo/img", k_built, "1.0"},
       "docker.pkg.github.com/ghuser/some-repo/img:1.0"},
      {{"gcr.io", "", "gcr.io/prod-project/img", k_built, "latest"},
       "gcr.io/prod-project/img:latest"},
      {{"gcr.io", "prod-project", "gcr.io/prod-project/img", k_built, "latest"},
       "gcr.io/prod-project/img:latest"},
      {{k_azure, "acme", "acme/web", k_built, "latest"}, "acmereg.azurecr.io/acme/acme/web:latest"},
      {{k_azure, "", "acmereg.azurecr.io/team/py-app:1.2.3", k_explicit, "production"},
       "acmereg.azurecr.io/team/py-app:production"},
      {{k_azure, "team", "acmereg.azurecr.io/team/py-app:1.2.3", k_explicit, "production"},
       "acmereg.azurecr.io/team/py-app:production"},
      {{k_azure, "", "us.gcr.io/project-1/go-app", k_explicit, "1.2.3"},
       "acmereg.azurecr.io/project-1/go-app:1.2.3"},
      {{k_azure, "acme", "app", k_build, "1.2.3"}, "acmereg.azurecr.io/acme/app:1.2.3"},
      {{"eu-docker.pkg.dev", "proj/repo", "app", k_built, "1"},
       "eu-docker.pkg.dev/proj/repo/app:1"},
  });
}

TEST(PushReference, treats_the_edges_of_those_rules_alike) {
  expect_all({
      {{k_azure, " /acme/ ", " web ", k_typed, " v1 "}, "acmereg.azurecr.io/acme/web:v1"},
      {{k_azure, "acme", "AcmeReg.azurecr.io/web", k_typed, "v1"}, "acmereg.azurecr.io/web:v1"},
      {{k_azure, "acme", "us.gcr.io/project-1/go-app", k_explicit, "v1"},
       "acmereg.azurecr.io/acme/project-1/go-app:v1"},
      {{k_azure, "acme", "us.gcr.io/project-1/go-app", k_build, "v1"},
       "acmereg.azurecr.io/acme/project-1/go-app:v1"},
      {{"us.gcr.io", "p", "gcr.io/x/y", k_explicit, "v1"}, "us.gcr.io/p/x/y:v1"},
      {{k_azure, "", "alpine:3.19", k_explicit, "v1"}, "acmereg.azurecr.io/alpine:v1"},
      {{k_azure, "", "docker.io/library/alpine", k_explicit, "v1"},
       "acmereg.azurecr.io/library/alpine:v1"},
      {{k_azure, "", "r.example/a@sha256:" + std::string(64, 'a'), k_explicit, "v1"},
       "acmereg.azurecr.io/a:v1"},
      {{"index.docker.io", "", "docker.io/me/app", k_built, "v1"}, "docker.io/me/app:v1"},
      {{"localhost:5000", "", "localhost:5000/app", k_built, "v1"}, "localhost:5000/app:v1"},
      {{"localhost:5000", "team", "app", k_built, "v1"}, "localhost:5000/team/app:v1"},
      {{"[::1]:5000", "", "[::1]:5000/app:v0", k_explicit, "v1"}, "[::1]:5000/app:v1"},
      {{"localhost:5000", "", "localhost:5001/app:v0", k_explicit, "v1"}, "localhost:5000/app:v1"},
  });
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_input);
    return error.message();
  }
  return "nothing was thrown";
}

TEST(PushReference, that_cannot_be_composed_says_which_part_is_wrong) {
  for (const Row& row : std::vector<Row>{
           {{k_azure, "", "us.gcr.io/p/app", k_built, "v1"},
            "image name 'us.gcr.io/p/app' names the registry 'us.gcr.io', but it is pushed to "
            "'acmereg.azurecr.io'"},
           {{k_azure, "", "us.gcr.io/p/app", k_typed, "v1"},
            "image name 'us.gcr.io/p/app' names the registry 'us.gcr.io', but it is pushed to "
            "'acmereg.azurecr.io'"},
           {{k_azure, "", "web:v1", k_built, "v1"}, "image name 'web:v1' contains a tag or digest"},
           {{k_azure, "", "localhost:5000/app:v1", k_typed, "v1"},
            "image name 'localhost:5000/app:v1' contains a tag or digest"},
           {{k_azure, "", "Acme/Web", k_built, "v1"},
            "image name 'Acme/Web' has upper-case letters"},
           {{k_azure, "", "  ", k_built, "v1"}, "image name is empty"},
           {{k_azure, "", ":v1", k_explicit, "v1"}, "candidate is empty"},
           {{k_azure, "", "acmereg.azurecr.io/", k_built, "v1"},
            "image name 'acmereg.azurecr.io/' makes no valid repository: ''"},
           {{k_azure, "team", "../x", k_explicit, "v1"},
            "candidate '../x' has the malformed registry host '..'"},
           {{k_azure, "team", "a//b", k_built, "v1"},
            "image name 'a//b' makes no valid repository: 'team/a//b'"},
           {{k_azure, "te am", "a", k_built, "v1"},
            "repository prefix 'te am' is not a repository path"},
           {{k_azure, "", "web", k_built, ""}, "the tag is empty"},
           {{k_azure, "", "web", k_built, "-v1"}, "'-v1' is not a valid tag"},
           {{k_azure, "", "web", k_built, "feature/x"}, "'feature/x' is not a valid tag"},
       }) {
    EXPECT_EQ(message_of([&] { compose_push_reference(row.target); }), row.result);
  }
  const std::string long_name(200, 'a');
  EXPECT_THROW(
      compose_push_reference({k_azure, std::string(60, 'p'), long_name, k_built, "v1"}), Error);
}

TEST(Prefix, is_stripped_and_must_be_a_path) {
  EXPECT_EQ(normalise_prefix(""), "");
  EXPECT_EQ(normalise_prefix(" / "), "");
  EXPECT_EQ(normalise_prefix("//project/repo/"), "project/repo");
  EXPECT_EQ(
      message_of([] { normalise_prefix("Team"); }),
      "repository prefix 'Team' is not a repository path");
  EXPECT_THROW(normalise_prefix("team:v1"), Error);
  EXPECT_THROW(normalise_prefix("a//b"), Error);
}

TEST(IntegrationName, must_be_usable_in_a_pipeline) {
  for (const char* name : {"prod", "my-hub", "Prod_2", "a.", ".b", "v1:x", "caf\xC3\xA9"}) {
    EXPECT_NO_THROW(validate_integration_name(name)) << name;
  }
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", "the name of the registry integration is empty"},
      {"  ", "the name of the registry integration is empty"},
      {"a b", "integration name 'a b' contains a blank or control character"},
      {" a", "integration name 'a' contains a blank or control character"},
      {"a\n", "integration name 'a' contains a blank or control character"},
      {std::string(65, 'a'),
       "the name of the registry integration is 65 characters, the limit is 64"},
      {"ghcr.io", "integration name 'ghcr.io' looks like a registry host"},
      {"r.example:5000", "integration name 'r.example:5000' looks like a registry host"},
      {"a/b",
       "integration name 'a/b' contains a character that pipelines and paths give a meaning of its "
       "own"},
      {"${{X}}",
       "integration name '${{X}}' contains a character that pipelines and paths give a meaning of "
       "its own"},
  };
  for (const auto& [name, message] : rows) {
    EXPECT_EQ(message_of([&] { validate_integration_name(name); }), message);
  }
}

TEST(Domain, is_reduced_to_its_host) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"ghcr.io", "ghcr.io"},
      {" https://GHCR.io/ ", "ghcr.io"},
      {"HTTPS://r.example:5000", "r.example:5000"},
      {"localhost", "localhost"},
      {"localhost:5000", "localhost:5000"},
      {"registry:5000", "registry:5000"},
      {"[::1]:5000", "[::1]:5000"},
      {"127.0.0.1:5000", "127.0.0.1:5000"},
      {"https://index.docker.io", "docker.io"},
      {"registry-1.docker.io", "docker.io"},
  };
  for (const auto& [domain, host] : rows) {
    EXPECT_EQ(validate_domain(domain), host);
  }
}

TEST(Domain, that_is_more_than_a_host_is_refused) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", "the domain of the registry is empty"},
      {"https://", "the domain of the registry is empty"},
      {"http://r.example", "domain 'http://r.example' has a scheme"},
      {"us.gcr.io/my_org", "domain 'us.gcr.io/my_org' has more than a host and a port"},
      {"https://index.docker.io/v1/",
       "domain 'index.docker.io/v1' has more than a host and a port"},
      {"r.example?x=1", "domain 'r.example?x=1' has more than a host and a port"},
      {"r example", "domain 'r example' is not a host with an optional port"},
      {"user@r.example", "domain 'user@r.example' is not a host with an optional port"},
      {"r.example:", "domain 'r.example:' is not a host with an optional port"},
      {"r.example:99999", "domain 'r.example:99999' is not a host with an optional port"},
      {"hub.docker.com", "'hub.docker.com' is a web site, not a registry"},
      {"registry", "domain 'registry' would be taken for a Docker Hub name in an image reference"},
  };
  for (const auto& [domain, message] : rows) {
    EXPECT_EQ(message_of([&] { validate_domain(domain); }), message);
  }
}

TEST(WebAddress, has_a_dot_and_reads_as_a_host_to_its_end) {
  for (const char* text :
       {"dtr.host.com",
        "https://dtr.host.com",
        "http://a.b",
        "a.b:5000",
        "a.b/c/d?x=1#f",
        "a.b?x",
        "a.b:1#f",
        "a_b.c-d",
        "1.2.3.4:5",
        "HTTPS://a.b"}) {
    EXPECT_TRUE(is_web_address(text)) << text;
  }
  for (const char* text :
       {"",
        "prod",
        "localhost:5000",
        "https://localhost",
        "a.",
        ".a",
        "a..b",
        "a.b:",
        "a.b:x",
        "a.b c",
        "a.b/c d",
        "a.b,c.d",
        "ftp://a.b",
        "://a.b"}) {
    EXPECT_FALSE(is_web_address(text)) << text;
  }
}

TEST(WebAddress, is_told_in_time_linear_to_its_length) {
  std::string text = std::string(1'000'000, '-') + std::string(1'000'000, 'a');
  for (int i = 0; i < 100'000; ++i) {
    text += "-a.";
  }
  EXPECT_FALSE(is_web_address(text + "!"));
}

}  // namespace
}  // namespace freshet::registries
