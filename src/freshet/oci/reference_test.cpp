// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/reference.hpp"

#include "freshet/base/error.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

const std::string k_digest = "sha256:" + std::string(64, 'b');

struct Good {
  std::string text;
  std::string domain;
  std::string path;
  std::string tag;
  bool has_digest = false;
};

TEST(Reference, is_parsed_as_the_docker_command_parses_it) {
  for (const Good& row : std::vector<Good>{
           {"alpine", "docker.io", "library/alpine", ""},
           {"alpine:3.19", "docker.io", "library/alpine", "3.19"},
           {"acme/web", "docker.io", "acme/web", ""},
           {"docker.io/alpine", "docker.io", "library/alpine", ""},
           {"index.docker.io/alpine", "docker.io", "library/alpine", ""},
           {"registry-1.docker.io/acme/web:v1", "docker.io", "acme/web", "v1"},
           {"Docker.IO/acme/web", "docker.io", "acme/web", ""},
           {"localhost/app", "localhost", "app", ""},
           {"localhost:5000", "docker.io", "library/localhost", "5000"},
           {"localhost:5000/app", "localhost:5000", "app", ""},
           {"localhost:5000/team/app:v9", "localhost:5000", "team/app", "v9"},
           {"GHCR.io/user/app", "ghcr.io", "user/app", ""},
           {"127.0.0.1:5000/app:v1", "127.0.0.1:5000", "app", "v1"},
           {"[::1]:5000/app:v1", "[::1]:5000", "app", "v1"},
           {"[2001:db8::1]/app", "[2001:db8::1]", "app", ""},
           {"a-b.example:1/x", "a-b.example:1", "x", ""},
           {"eu-docker.pkg.dev/proj/repo/app:1", "eu-docker.pkg.dev", "proj/repo/app", "1"},
           {"a/b/c/d/e", "docker.io", "a/b/c/d/e", ""},
           {"a__b/c.d/e--f/g_h", "docker.io", "a__b/c.d/e--f/g_h", ""},
           {"app:_x.Y-1", "docker.io", "library/app", "_x.Y-1"},
           {"alpine@" + k_digest, "docker.io", "library/alpine", "", true},
           {"quay.io/a/b:v1@" + k_digest, "quay.io", "a/b", "v1", true},
       }) {
    const Reference reference = Reference::parse(row.text);
    EXPECT_EQ(reference.domain, row.domain) << row.text;
    EXPECT_EQ(reference.path, row.path) << row.text;
    EXPECT_EQ(reference.tag, row.tag) << row.text;
    EXPECT_EQ(reference.digest.has_value(), row.has_digest) << row.text;
    EXPECT_EQ(Reference::parse(reference.to_string()), reference) << row.text;
  }
}

struct Bad {
  std::string text;
  std::string message;
};

TEST(Reference, that_is_malformed_is_refused_saying_what_is_wrong) {
  const std::string long_path(256, 'a');
  const std::string long_tag(129, 't');
  for (const Bad& row : std::vector<Bad>{
           {"", "image reference is empty"},
           {"acme/ web", "image reference 'acme/ web' contains a blank"},
           {"Alpine", "image reference 'Alpine' has upper-case letters in its repository 'Alpine'"},
           {"ghcr.io/Acme/web",
            "image reference 'ghcr.io/Acme/web' has upper-case letters in its repository "
            "'Acme/web'"},
           {"-acme/web", "image reference '-acme/web' has the malformed repository '-acme/web'"},
           {"acme//web", "image reference 'acme//web' has the malformed repository 'acme//web'"},
           {"acme/web/", "image reference 'acme/web/' has the malformed repository 'acme/web/'"},
           {"a..b", "image reference 'a..b' has the malformed repository 'a..b'"},
           {"a___b", "image reference 'a___b' has the malformed repository 'a___b'"},
           {"a._b", "image reference 'a._b' has the malformed repository 'a._b'"},
           {"../etc", "image reference '../etc' has the malformed registry host '..'"},
           {"ghcr.io/", "image reference 'ghcr.io/' has no repository name"},
           {":v1", "image reference ':v1' has no repository name"},
           {"app:", "image reference 'app:' has an empty tag"},
           {"app:-v1", "image reference 'app:-v1' has the malformed tag '-v1'"},
           {"app:.v1", "image reference 'app:.v1' has the malformed tag '.v1'"},
           {"app:v1:v2", "image reference 'app:v1:v2' has the malformed tag 'v1:v2'"},
           {"foo:bar/app",
            "image reference 'foo:bar/app' has the malformed registry host 'foo:bar'"},
           {"host:0/app", "image reference 'host:0/app' has the malformed registry host 'host:0'"},
           {"host:65536/app",
            "image reference 'host:65536/app' has the malformed registry host 'host:65536'"},
           {"http://host/app",
            "image reference 'http://host/app' has the malformed registry host "
            "'http:'"},
           {"a_b.example/app",
            "image reference 'a_b.example/app' has the malformed registry host 'a_b.example'"},
           {"app@sha256:123",
            "image reference 'app@sha256:123' has the malformed digest 'sha256:123'"},
           {"app:" + long_tag,
            "image reference 'app:" + long_tag + "' has a tag of 129 characters, the limit is 128"},
           {std::string(64, 'a'),
            "image reference '" + std::string(64, 'a') + "' is an image id, not a name"},
       }) {
    try {
      Reference::parse(row.text);
      ADD_FAILURE() << row.text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), row.message);
      EXPECT_EQ(error.code(), ErrorCode::invalid_input);
    }
  }
  EXPECT_THROW(Reference::parse(long_path), Error);
  EXPECT_NO_THROW(Reference::parse("a/" + std::string(253, 'a')));
}

TEST(Reference, in_upper_case_gets_the_corrected_name_as_hint) {
  try {
    Reference::parse("ghcr.io/Acme/Web:V1");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "registries only know lower case: write 'acme/web'");
  }
}

TEST(Reference, has_latest_only_where_nothing_else_is_said) {
  EXPECT_EQ(Reference::parse("app").tag_or_latest(), "latest");
  EXPECT_EQ(Reference::parse("app:v1").tag_or_latest(), "v1");
  EXPECT_EQ(Reference::parse("app@" + k_digest).tag_or_latest(), "");
}

TEST(LeadingDomain, needs_a_dot_a_colon_or_localhost_before_a_slash) {
  EXPECT_EQ(leading_domain("ghcr.io/a"), "ghcr.io");
  EXPECT_EQ(leading_domain("host:1/a/b"), "host:1");
  EXPECT_EQ(leading_domain("localhost/a"), "localhost");
  EXPECT_EQ(leading_domain("acme/web.x"), std::nullopt);
  EXPECT_EQ(leading_domain("ghcr.io"), std::nullopt);
  EXPECT_EQ(leading_domain(""), std::nullopt);
}

TEST(CanonicalDomain, knows_the_aliases_of_docker_hub_and_no_others) {
  EXPECT_EQ(canonical_domain("Index.Docker.io"), "docker.io");
  EXPECT_EQ(canonical_domain("registry-1.docker.io"), "docker.io");
  EXPECT_EQ(canonical_domain("US.gcr.io"), "us.gcr.io");
  EXPECT_EQ(canonical_domain("index.docker.io:443"), "index.docker.io:443");
}

TEST(ValidDomain, is_a_host_with_an_optional_port) {
  for (const char* domain :
       {"a", "a.b", "a.b:1", "1.2.3.4:65535", "[::1]", "[::1]:5000", "A-b.c"}) {
    EXPECT_TRUE(is_valid_domain(domain)) << domain;
  }
  for (const char* domain :
       {"",    ".",      "a.",      ".a",    "a..b",         "-a",      "a-",
        "a:",  "a:x",    "a:70000", "a:1:2", "[]",           "[::1",    "[::g]",
        "a/b", "user@a", "a%2Fb",   "a b",   "b\xC3\xBC.de", "[::1]x:1"}) {
    EXPECT_FALSE(is_valid_domain(domain)) << domain;
  }
}

}  // namespace
}  // namespace freshet::oci
