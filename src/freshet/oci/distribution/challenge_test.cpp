// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/challenge.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

/// `scheme{name=value;…}` per challenge, so that a row of the table is one line.
std::string shown(const std::vector<Challenge>& challenges) {
  std::string out;
  for (const Challenge& challenge : challenges) {
    out += challenge.scheme + "{";
    for (const auto& [name, value] : challenge.parameters) {
      out += name + "=" + value + ";";
    }
    out += "}";
  }
  return out;
}

TEST(Challenges, are_read_from_what_registries_send) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", ""},
      {"Basic", "basic{}"},
      {R"(Basic realm="Registry")", "basic{realm=Registry;}"},
      {R"(BASIC Realm="x")", "basic{realm=x;}"},
      {R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io")",
       "bearer{realm=https://auth.docker.io/token;service=registry.docker.io;}"},
      {R"(Bearer realm="r",service="s",scope="repository:a/b:pull,push",error="invalid_token")",
       "bearer{realm=r;service=s;scope=repository:a/b:pull,push;error=invalid_token;}"},
      {R"(Bearer realm="r" , service="s")", "bearer{realm=r;service=s;}"},
      {R"(Bearer realm = "r", service= s)", "bearer{realm=r;service=s;}"},
      {R"(Bearer realm=https://a.example/token,service=s)",
       "bearer{realm=https://a.example/token;service=s;}"},
      {R"(Basic realm="a", Bearer realm="b",service="c")",
       "basic{realm=a;}bearer{realm=b;service=c;}"},
      {R"(Bearer realm="b", Basic realm="a")", "bearer{realm=b;}basic{realm=a;}"},
      {R"(Negotiate, Basic realm="a")", "negotiate{}basic{realm=a;}"},
      {R"(Negotiate YWJjZA==, Basic realm="a")", "negotiate{}ywjjza{}basic{realm=a;}"},
      {R"(Basic realm="a \"quoted\" \\ name")", R"(basic{realm=a "quoted" \ name;})"},
      {R"(Basic realm="a, Bearer realm=b")", "basic{realm=a, Bearer realm=b;}"},
      {R"(Basic realm="")", "basic{realm=;}"},
      {R"(,, , Basic realm="a",,)", "basic{realm=a;}"},
      {R"(Bearer realm="unclosed)", "bearer{realm=unclosed;}"},
      {R"(Bearer realm="ends in \)", R"(bearer{realm=ends in \;})"},
      {R"(realm="no scheme", Basic realm="a")", "basic{realm=a;}"},
      {R"(Bearer =x, realm="r")", ""},
      {"\x01\xFF\"(){}", ""},
      {"Basic \xC3\xBC", "basic{}"},
      {"====", ""},
      {"a=", "a{}"},
  };
  for (const auto& [header, expected] : rows) {
    EXPECT_EQ(shown(parse_challenges(header)), expected) << header;
  }
}

TEST(Challenges, keep_the_first_of_two_parameters_of_one_name) {
  const auto challenges = parse_challenges(R"(Bearer realm="first",realm="second")");
  ASSERT_EQ(challenges.size(), 1U);
  EXPECT_EQ(challenges[0].parameter("realm"), "first");
  EXPECT_EQ(challenges[0].parameter("service"), "");
}

TEST(Challenges, stay_bounded_whatever_comes) {
  std::string schemes;
  std::string parameters = "Bearer ";
  for (int i = 0; i < 10'000; ++i) {
    schemes += "A,";
    parameters += "a=b,";
  }
  EXPECT_EQ(parse_challenges(schemes).size(), 32U);
  ASSERT_EQ(parse_challenges(parameters).size(), 1U);
  EXPECT_EQ(parse_challenges(parameters)[0].parameters.size(), 32U);
  EXPECT_TRUE(parse_challenges(std::string(100'000, '"')).empty());
}

}  // namespace
}  // namespace freshet::oci
