// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/pull_quota.hpp"

#include "freshet/base/error_text.hpp"
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/distribution/registry_error.hpp"
#include "freshet/oci/testing/patient_client.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::testing::reply;
using net::testing::ScriptedHttp;
using testing::failure_of;
using testing::PatientClient;

net::HttpHeaders quota(std::string limit, std::string remaining) {
  return {{"ratelimit-limit", std::move(limit)}, {"ratelimit-remaining", std::move(remaining)}};
}

std::optional<PullQuota> read(net::HttpHeaders headers) {
  net::HttpResponse response;
  response.headers = std::move(headers);
  return pull_quota(response);
}

TEST(PullQuota, is_read_from_the_headers_of_docker_hub) {
  const auto found = read(quota("100;w=21600", "76; w=21600"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->limit, 100U);
  EXPECT_EQ(found->remaining, 76U);
  EXPECT_EQ(found->to_string(), "100 pulls in 6 hours");
  EXPECT_FALSE(found->is_nearly_used_up());
  EXPECT_TRUE(read(quota("100;w=21600", "10;w=21600"))->is_nearly_used_up());
  EXPECT_EQ(read(quota("5;w=5400", "0;w=5400"))->to_string(), "5 pulls in 90 minutes");
}

TEST(PullQuota, is_not_read_into_nonsense) {
  EXPECT_FALSE(read({}));
  EXPECT_FALSE(read({{"RateLimit-Limit", "100;w=21600"}}));
  for (const char* text :
       {"",
        "100",
        "100;w=",
        "100;w=0",
        "100;q=1",
        "-1;w=60",
        "0;w=60",
        "many;w=60",
        "1;w=60;x",
        "1;w=99999999999999999999"}) {
    EXPECT_FALSE(read(quota(text, "1;w=60"))) << text;
  }
}

constexpr const char* k_get = "GET https://r.example/v2/app/manifests/v1";
const std::string k_body = R"({"schemaVersion":2,"manifests":[]})";

net::testing::Outcome manifest(std::string remaining) {
  auto headers = quota("100;w=21600", remaining + ";w=21600");
  headers.add("Content-Type", "application/vnd.oci.image.index.v1+json");
  return reply(200, k_body, std::move(headers));
}

TEST(PullQuota, is_told_once_when_little_of_it_is_left) {
  ScriptedHttp http{{k_get, manifest("11")}, {k_get, manifest("10")}, {k_get, manifest("9")}};
  PatientClient client(http);
  for (int i = 0; i < 3; ++i) {
    net::testing::run(client->get_manifest(Ctx{}, "app", "v1"));
  }
  EXPECT_EQ(
      client.notices(),
      std::vector<std::string>{"'r.example' allows 10 more pulls; its limit is 100 pulls in 6 "
                               "hours"});
}

TEST(PullQuota, is_named_by_the_error_when_it_is_used_up) {
  const auto used_up = reply(
      429,
      R"({"errors":[{"code":"TOOMANYREQUESTS","message":"you have reached your pull rate limit"}]})",
      quota("100;w=21600", "0;w=21600"));
  ScriptedHttp http{{k_get, used_up}, {k_get, used_up}, {k_get, used_up}};
  PatientClient client(http);
  EXPECT_EQ(
      to_terminal(failure_of(client->get_manifest(Ctx{}, "app", "v1"))),
      "error: 'r.example' got too many requests; it refused reading the manifest of 'app:v1' (its "
      "limit is 100 pulls in 6 hours)\n"
      "  it said: 'TOOMANYREQUESTS: you have reached your pull rate limit' (HTTP 429)\n"
      "hint: try again later, or with credentials that have a higher rate limit\n");
}

}  // namespace
}  // namespace freshet::oci
