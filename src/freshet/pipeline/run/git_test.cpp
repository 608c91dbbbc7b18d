// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/git.hpp"

#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

struct AddressCase {
  const char* text;
  const char* url;
  const char* owner;
  const char* name;
};

TEST(RepositoryAddress, is_understood_in_every_form) {
  const AddressCase cases[] = {
      {"acme/web", "https://github.com/acme/web.git", "acme", "web"},
      {"https://git.example/acme/web.git", "https://git.example/acme/web.git", "acme", "web"},
      {"https://git.example/group/sub/web", "https://git.example/group/sub/web", "sub", "web"},
      {"ssh://git@git.example:2222/acme/web.git",
       "ssh://git@git.example:2222/acme/web.git",
       "acme",
       "web"},
      {"git@git.example:acme/web.git", "git@git.example:acme/web.git", "acme", "web"},
      {"file:///srv/git/web.git", "file:///srv/git/web.git", "", "web"},
      {"/srv/git/web", "/srv/git/web", "", "web"},
      {"  acme/web \n", "https://github.com/acme/web.git", "acme", "web"},
  };
  for (const AddressCase& expected : cases) {
    const RepositoryAddress address = parse_repository_address(expected.text);
    EXPECT_EQ(address.url, expected.url);
    EXPECT_EQ(address.owner, expected.owner) << expected.text;
    EXPECT_EQ(address.name, expected.name) << expected.text;
  }
}

std::string refusal(const std::string& text) {
  try {
    parse_repository_address(text);
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

TEST(RepositoryAddress, with_a_password_is_refused_without_repeating_it) {
  EXPECT_EQ(
      refusal("https://me:s3cret@git.example/acme/web"),
      "the repository's address holds a password or token");
  EXPECT_EQ(
      refusal("https://ghp_token@git.example/acme/web"),
      "the repository's address holds a password or token");
  EXPECT_EQ(refusal("ssh://git@git.example/acme/web"), "accepted");
}

TEST(RepositoryAddress, that_git_would_read_as_an_option_or_not_at_all_is_refused) {
  EXPECT_EQ(
      refusal("--upload-pack=touch /tmp/x"),
      "'--upload-pack=touch /tmp/x' is not the address of a repository");
  EXPECT_EQ(refusal("web"), "'web' is not the address of a repository");
  EXPECT_EQ(refusal(""), "'' is not the address of a repository");
  EXPECT_EQ(
      refusal("https://git.example/.."), "'https://git.example/..' does not name a repository");
}

}  // namespace
}  // namespace freshet::pipeline
