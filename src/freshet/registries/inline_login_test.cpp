// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/inline_login.hpp"

#include "freshet/base/testing/run.hpp"

#include <gtest/gtest.h>

namespace freshet::registries {
namespace {

using freshet::testing::error_of;

InlineLogin login(std::string registry) {
  InlineLogin out;
  out.registry = std::move(registry);
  out.username = "ada";
  out.password = Secret("pw");
  return out;
}

TEST(InlineLogin, is_for_the_host_that_the_step_names) {
  for (const auto& [text, domain] :
       {std::pair{"", "docker.io"},
        {"dtr.host.com", "dtr.host.com"},
        {"https://DTR.host.com:8443/v2/?x", "dtr.host.com:8443"},
        {"index.docker.io", "docker.io"}}) {
    EXPECT_EQ(check_inline_login(login(text)).domain, domain);
    EXPECT_FALSE(check_inline_login(login(text)).is_plain_http);
  }
  EXPECT_TRUE(check_inline_login(login("http://dtr.host.com")).is_plain_http);
  InlineLogin standard = login("dtr.host.com");
  standard.provider = "standard";
  EXPECT_EQ(check_inline_login(standard).domain, "dtr.host.com");
}

TEST(InlineLogin, needs_a_user_and_a_password) {
  InlineLogin empty;
  empty.provider = "podman";
  EXPECT_EQ(
      error_of([&] { check_inline_login(empty); }),
      "invalid_input\n"
      "error: 'podman' is not a provider for a push; 'username' of the credentials is empty; "
      "'password' of the credentials is empty\n"
      "hint: write docker or ecr\n");
}

TEST(InlineLogin, for_ecr_needs_keys_and_a_region) {
  InlineLogin ecr;
  ecr.provider = "ecr";
  EXPECT_EQ(
      error_of([&] { check_inline_login(ecr); }),
      "invalid_input\n"
      "error: 'accessKeyId' of the push to Amazon ECR is empty; 'secretAccessKey' of the push to "
      "Amazon ECR is empty; 'region' of the push to Amazon ECR is empty\n");
  ecr.access_key_id = "AKID";
  ecr.secret_access_key = Secret("key");
  ecr.region = "eu-west-1";
  EXPECT_TRUE(check_inline_login(ecr).is_ecr);
}

}  // namespace
}  // namespace freshet::registries
