// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/mount.hpp"

#include "freshet/base/error.hpp"

#include <gtest/gtest.h>

namespace freshet::dockerfile {
namespace {

Mount parsed(std::string_view text) {
  return parse_mount(text, [](std::string_view value) { return std::string(value); });
}

TEST(Mount, binds_the_context_when_it_says_nothing_else) {
  const Mount mount = parsed("target=/t");
  EXPECT_EQ(mount, (Mount{.target = "/t"}));
  EXPECT_EQ(mount.type, MountType::bind);
  EXPECT_TRUE(mount.is_readonly);
}

TEST(Mount, takes_all_that_a_cache_can_say) {
  EXPECT_EQ(
      parsed("type=cache,id=c,target=/t,sharing=locked,from=s,src=/p,mode=0755,uid=1,gid=2,ro"),
      (Mount{
          .type = MountType::cache,
          .from = "s",
          .source = "/p",
          .target = "/t",
          .id = "c",
          .is_readonly = true,
          .sharing = Sharing::locked,
          .mode = 0755,
          .uid = 1,
          .gid = 2}));
}

TEST(Mount, can_be_written_to_when_its_type_says_so) {
  EXPECT_FALSE(parsed("type=cache,target=/t").is_readonly);
  EXPECT_FALSE(parsed("type=tmpfs,target=/t").is_readonly);
  EXPECT_TRUE(parsed("type=cache,target=/t,readonly=true").is_readonly);
  EXPECT_FALSE(parsed("target=/t,rw").is_readonly);
}

TEST(Mount, holds_a_secret) {
  EXPECT_EQ(
      parsed("TYPE=Secret,id=s,env=TOKEN,required"),
      (Mount{.type = MountType::secret, .id = "s", .is_required = true, .variable = "TOKEN"}));
}

TEST(Mount, has_a_size_in_powers_of_1024) {
  EXPECT_EQ(parsed("type=tmpfs,target=/t,size=1.5k").size_bytes, 1536U);
  EXPECT_EQ(parsed("type=tmpfs,target=/t,size=2GiB").size_bytes, 2U << 30U);
  EXPECT_EQ(parsed("type=tmpfs,target=/t,size=64 mb").size_bytes, 64U << 20U);
}

TEST(Mount, quotes_fields_that_hold_commas) {
  EXPECT_EQ(parsed("\"source=a,b\",target=/t").source, "a,b");
  EXPECT_EQ(parsed("\"source=a\"\"b\",target=/t").source, "a\"b");
}

TEST(Mount, is_put_through_the_variables) {
  const Mount mount = parse_mount("id=$X,type=cache,target=$Y", [](std::string_view value) {
    return value == "$X" ? std::string("x") : std::string(value);
  });
  EXPECT_EQ(mount.id, "x");
  EXPECT_EQ(mount.target, "$Y");
}

TEST(MountFrom, is_known_without_variables) {
  EXPECT_EQ(parse_mount_from("type=bind,from=Stage,target=$T"), "Stage");
  EXPECT_EQ(parse_mount_from("type=$TYPE"), "");
}

struct MistakeCase {
  std::string_view text;
  std::string_view message;
};

class MountMistake : public ::testing::TestWithParam<MistakeCase> {};

TEST_P(MountMistake, is_told) {
  try {
    parse_mount_from(GetParam().text);
    parsed(GetParam().text);
    ADD_FAILURE() << GetParam().text;
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Mount,
    MountMistake,
    ::testing::Values(
        MistakeCase{"", "the mount says nothing"},
        MistakeCase{"from=$X", "'from' of a mount takes no variables"},
        MistakeCase{"type=foo", "'foo' is no type of a mount"},
        MistakeCase{"type=cache,sharing=all", "'all' is no sharing of a mount"},
        MistakeCase{"sharing=shared", "only cache mounts have 'sharing'"},
        MistakeCase{"size=1m", "only tmpfs mounts have a 'size'"},
        MistakeCase{"type=tmpfs,size=x", "'size' must be a size such as 64m, not 'x'"},
        MistakeCase{"type=tmpfs,size=1x", "'size' must be a size such as 64m, not '1x'"},
        MistakeCase{"required", "only secret and ssh mounts can be 'required'"},
        MistakeCase{"uid=1", "only secret, ssh and cache mounts have mode, uid and gid"},
        MistakeCase{"type=cache,mode=9", "'mode' must be an octal number, not '9'"},
        MistakeCase{"type=cache,uid=a", "'uid' must be a number, not 'a'"},
        MistakeCase{"ro=maybe", "'ro' must be true or false, not 'maybe'"},
        MistakeCase{"type=secret", "a secret mount needs an id"},
        MistakeCase{"type=secret,id=a,src=b", "a secret mount has either 'source' or 'id'"},
        MistakeCase{"type=secret,id=a,from=b", "a secret mount has no 'from'"},
        MistakeCase{"colour=red", "a mount has no field 'colour=red'"},
        MistakeCase{"target", "a mount has no field 'target'"},
        MistakeCase{"a\"b", "'a\"b' has a quote in the middle of a field"},
        MistakeCase{"\"a", "a quote in '\"a' is never closed"}));

}  // namespace
}  // namespace freshet::dockerfile
