// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/sigv4.hpp"

#include <gtest/gtest.h>

namespace freshet::registries::aws {
namespace {

using namespace std::chrono_literals;

/// The identity and the moment of AWS's published test vectors.
Keys example_keys(std::string token = {}) {
  Keys keys;
  keys.access_key_id = "AKIDEXAMPLE";
  keys.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  keys.session_token = Secret(std::move(token));
  return keys;
}

const UnixTime k_moment = std::chrono::sys_days(std::chrono::year(2015) / 8 / 30) + 12h + 36min;

net::HttpRequest request(std::string method, std::string url, std::string body = {}) {
  net::HttpRequest out;
  out.method = std::move(method);
  out.url = std::move(url);
  out.body = std::move(body);
  return out;
}

std::string authorization(
    net::HttpRequest signed_one, const Keys& keys, std::string_view service = "service") {
  sign(signed_one, keys, "us-east-1", service, k_moment);
  return signed_one.headers.find("Authorization").value_or("");
}

std::string expected(
    std::string_view names, std::string_view signature, std::string_view service = "service") {
  return fmt::format(
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{}/aws4_request, "
      "SignedHeaders={}, Signature={}",
      service,
      names,
      signature);
}

struct Vector {
  std::string name;
  net::HttpRequest request;
  std::string names;
  std::string signature;
};

TEST(SignatureV4, is_that_of_the_published_vectors) {
  net::HttpRequest form = request("POST", "https://example.amazonaws.com/", "Param1=value1");
  form.headers.add("Content-Type", "application/x-www-form-urlencoded");
  const std::vector<Vector> vectors{
      {"get-vanilla",
       request("GET", "https://example.amazonaws.com/"),
       "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case",
       request("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1"),
       "host;x-amz-date",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"post-vanilla",
       request("POST", "https://example.amazonaws.com/"),
       "host;x-amz-date",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-x-www-form-urlencoded",
       form,
       "content-type;host;x-amz-date",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
  for (const Vector& vector : vectors) {
    EXPECT_EQ(
        authorization(vector.request, example_keys()), expected(vector.names, vector.signature))
        << vector.name;
  }
}

TEST(SignatureV4, is_that_of_the_published_walk_through) {
  net::HttpRequest list =
      request("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08");
  list.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_EQ(
      authorization(list, example_keys(), "iam"),
      expected(
          "content-type;host;x-amz-date",
          "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
          "iam"));
}

TEST(SignatureV4, covers_the_session_token) {
  net::HttpRequest signed_one = request("POST", "https://example.amazonaws.com/");
  sign(signed_one, example_keys("token"), "us-east-1", "service", k_moment);
  EXPECT_EQ(signed_one.headers.find("X-Amz-Security-Token"), "token");
  EXPECT_NE(
      signed_one.headers.find("Authorization")->find("host;x-amz-date;x-amz-security-token"),
      std::string::npos);
}

TEST(SignatureV4, changes_with_everything_that_it_covers) {
  const std::string base =
      authorization(request("POST", "https://h.example/", "a"), example_keys());
  EXPECT_NE(authorization(request("POST", "https://h.example/", "b"), example_keys()), base);
  EXPECT_NE(authorization(request("POST", "https://g.example/", "a"), example_keys()), base);
  EXPECT_NE(authorization(request("PUT", "https://h.example/", "a"), example_keys()), base);
  EXPECT_NE(authorization(request("POST", "https://h.example/x", "a"), example_keys()), base);
}

}  // namespace
}  // namespace freshet::registries::aws
