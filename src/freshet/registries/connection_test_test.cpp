// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/connection_test.hpp"

#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/testing/real_registry.hpp"

#include <gtest/gtest.h>

namespace freshet::registries {
namespace {

using namespace std::chrono_literals;
using net::TransportProblem;
using net::testing::no_answer;
using net::testing::reply;
using net::testing::ScriptedHttp;
using oci::testing::RealRegistry;

const net::HttpHeaders k_basic{
    {"Docker-Distribution-Api-Version", "registry/2.0"}, {"WWW-Authenticate", "Basic realm=\"x\""}};
const std::string k_unauthorized =
    R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})";
const std::string k_denied = R"({"errors":[{"code":"DENIED","message":"no push for you"}]})";

model::RegistryIntegration integration(std::string domain = "r.example", std::string prefix = "") {
  model::RegistryIntegration record;
  record.name = "prod";
  record.domain = std::move(domain);
  record.username = "bob";
  record.repository_prefix = std::move(prefix);
  return record;
}

Awaitable<ConnectionReport> probe(
    net::HttpClient& http,
    model::RegistryIntegration record,
    std::string password,
    std::string repository) {
  oci::Credentials login{record.username, Secret(std::move(password))};
  auto credentials = std::make_shared<oci::FixedCredentials>(std::move(login));
  oci::RegistryOptions options;
  options.retry.max_attempts = 1;
  oci::RegistryClient client(http, record.domain, credentials, options);
  const Ctx ctx = Ctx().within(30s);
  co_return co_await test_connection(
      ctx, client, std::move(record), credentials, std::move(repository));
}

ConnectionReport test(
    ScriptedHttp& http, model::RegistryIntegration record, std::string repository = "") {
  const ConnectionReport report =
      net::testing::run(probe(http, std::move(record), "hunter2", std::move(repository)));
  EXPECT_TRUE(http.finished());
  return report;
}

/// `name result: message` per line, as a person would be shown it.
std::string shown(const ConnectionReport& report) {
  std::string out;
  for (const Check& check : report.checks) {
    out += fmt::format("{} {}", to_string(check.name), to_string(check.result));
    out += check.message.empty() ? "\n" : ": " + check.message + "\n";
  }
  return out;
}

TEST(ConnectionTest, passes_all_checks_of_a_working_registry) {
  ScriptedHttp http{
      {"GET https://r.example/v2/", reply(401, "", k_basic)},
      {"GET https://r.example/v2/", reply(401, "", k_basic)},
      {"GET https://r.example/v2/", reply(200, "{}")},
      {"HEAD https://r.example/v2/team/freshet-connection-test/manifests/latest", reply(404)},
      {"POST https://r.example/v2/team/freshet-connection-test/blobs/uploads/", reply(202)}};

  const ConnectionReport report = test(http, integration("r.example", "team"));

  EXPECT_TRUE(report.has_passed());
  EXPECT_EQ(
      shown(report),
      "reach passed: 'r.example' answers\n"
      "tls passed: 'r.example' has a valid certificate\n"
      "protocol passed: 'r.example' is a registry (API version 2)\n"
      "credentials passed: 'r.example' accepts the credentials of user 'bob'\n"
      "pull passed: pulling from 'r.example/team/freshet-connection-test' is allowed\n"
      "push passed: pushing to 'r.example/team/freshet-connection-test' is allowed\n");
}

TEST(ConnectionTest, tries_the_repository_that_the_user_names) {
  ScriptedHttp http{
      {"GET /v2/", reply(401, "", k_basic)},
      {"GET /v2/", reply(401, "", k_basic)},
      {"GET /v2/", reply(200, "{}")},
      {"HEAD https://r.example/v2/team/app/manifests/latest", reply(404)},
      {"POST https://r.example/v2/team/app/blobs/uploads/", reply(202)}};
  EXPECT_TRUE(test(http, integration("r.example", "team"), "app").has_passed());
}

TEST(ConnectionTest, tries_docker_hub_in_the_user_s_own_namespace) {
  ScriptedHttp http{
      {"GET https://registry-1.docker.io/v2/", reply(401, "", k_basic)},
      {"GET /v2/", reply(401, "", k_basic)},
      {"GET /v2/", reply(200, "{}")},
      {"HEAD https://registry-1.docker.io/v2/bob/freshet-connection-test/manifests/latest",
       reply(404)},
      {"POST https://registry-1.docker.io/v2/bob/freshet-connection-test/blobs/uploads/",
       reply(202)}};
  EXPECT_TRUE(test(http, integration("docker.io")).has_passed());
}

TEST(ConnectionTest, stops_where_nothing_answers) {
  for (const TransportProblem kind :
       {TransportProblem::name_not_resolved,
        TransportProblem::refused,
        TransportProblem::timed_out,
        TransportProblem::closed,
        TransportProblem::forbidden,
        TransportProblem::other}) {
    ScriptedHttp http{{"GET /v2/", no_answer(kind, "no answer at all")}};
    const ConnectionReport report = test(http, integration());
    EXPECT_FALSE(report.has_passed());
    EXPECT_EQ(
        shown(report),
        "reach failed: no answer at all\ntls skipped\nprotocol skipped\ncredentials skipped\n"
        "pull skipped\npush skipped\n");
  }
}

TEST(ConnectionTest, quotes_a_problem_with_tls) {
  ScriptedHttp http{
      {"GET /v2/", no_answer(TransportProblem::tls, "no TLS connection to 'r.example': expired")}};
  EXPECT_EQ(
      shown(test(http, integration())),
      "reach passed: 'r.example' answers\n"
      "tls failed: no TLS connection to 'r.example': expired\n"
      "protocol skipped\ncredentials skipped\npull skipped\npush skipped\n");
}

TEST(ConnectionTest, says_that_something_else_answers) {
  ScriptedHttp http{{"GET /v2/", reply(200, "<html>", {{"Content-Type", "text/html"}})}};
  const ConnectionReport report = test(http, integration());
  EXPECT_EQ(
      shown(report),
      "reach passed: 'r.example' answers\n"
      "tls passed: 'r.example' has a valid certificate\n"
      "protocol failed: 'r.example' answers but is not a registry: HTTP 200 with a 'text/html' "
      "page\n"
      "credentials skipped\npull skipped\npush skipped\n");
  EXPECT_EQ(
      report.at(CheckName::protocol).hint,
      "check the domain and port: it must be the host that image names start with");
}

TEST(ConnectionTest, reports_a_registry_in_trouble) {
  ScriptedHttp http{{"GET /v2/", reply(503, "down for maintenance")}};
  const ConnectionReport report = test(http, integration());
  EXPECT_EQ(report.at(CheckName::reach).result, CheckResult::passed);
  EXPECT_EQ(report.at(CheckName::protocol).result, CheckResult::failed);
  EXPECT_EQ(report.at(CheckName::protocol).remote_text, "down for maintenance");
}

TEST(ConnectionTest, quotes_the_registry_that_refuses_the_credentials) {
  ScriptedHttp http{
      {"GET /v2/", reply(401, "", k_basic)},
      {"GET /v2/", reply(401, "", k_basic)},
      {"GET /v2/", reply(401, k_unauthorized, k_basic)}};
  const ConnectionReport report = test(http, integration());
  EXPECT_FALSE(report.has_passed());
  const Check& check = report.at(CheckName::credentials);
  EXPECT_EQ(check.result, CheckResult::failed);
  EXPECT_EQ(check.message, "'r.example' refused the credentials of user 'bob'");
  EXPECT_EQ(check.remote_text, "UNAUTHORIZED: authentication required");
  EXPECT_EQ(report.at(CheckName::push).result, CheckResult::skipped);
  EXPECT_EQ(shown(report).find("hunter2"), std::string::npos);
}

TEST(ConnectionTest, admits_that_an_open_registry_does_not_look_at_credentials) {
  ScriptedHttp http{
      {"GET /v2/", reply(200, "{}")},
      {"GET /v2/", reply(200, "{}")},
      {"HEAD /v2/freshet-connection-test/manifests/latest", reply(404)},
      {"POST /v2/freshet-connection-test/blobs/uploads/", reply(202)}};
  const ConnectionReport report = test(http, integration());
  EXPECT_TRUE(report.has_passed());
  EXPECT_EQ(report.at(CheckName::credentials).result, CheckResult::unknown);
  EXPECT_EQ(
      report.at(CheckName::credentials).message,
      "'r.example' lets everybody in and does not look at credentials");
}

TEST(ConnectionTest, tells_a_missing_right_to_push_from_what_it_cannot_judge) {
  ScriptedHttp denied{
      {"GET /v2/", reply(200, "{}")},
      {"GET /v2/", reply(200, "{}")},
      {"HEAD /v2/freshet-connection-test/manifests/latest", reply(404)},
      {"POST /v2/freshet-connection-test/blobs/uploads/", reply(403, k_denied)}};
  const ConnectionReport no = test(denied, integration());
  EXPECT_EQ(no.at(CheckName::push).result, CheckResult::failed);
  EXPECT_EQ(
      no.at(CheckName::push).message,
      "pushing to 'r.example/freshet-connection-test' is not allowed: 'r.example' does not allow "
      "pushing");
  EXPECT_EQ(no.at(CheckName::push).remote_text, "DENIED: no push for you");

  ScriptedHttp absent{
      {"GET /v2/", reply(200, "{}")},
      {"GET /v2/", reply(200, "{}")},
      {"HEAD /v2/freshet-connection-test/manifests/latest", reply(404)},
      {"POST /v2/freshet-connection-test/blobs/uploads/", reply(404)}};
  const ConnectionReport unknown = test(absent, integration());
  EXPECT_TRUE(unknown.has_passed());
  EXPECT_EQ(unknown.at(CheckName::push).result, CheckResult::unknown);
}

TEST(ConnectionTest, refuses_a_malformed_repository_before_it_asks) {
  ScriptedHttp http{};
  EXPECT_THROW(test(http, integration(), "App"), Error);
}

TEST(ConnectionTest, asks_nothing_of_what_is_behind_a_firewall) {
  ScriptedHttp http{};
  model::RegistryIntegration record = integration("r.example");
  record.is_behind_firewall = true;
  const ConnectionReport report = test(http, record);
  EXPECT_TRUE(report.has_passed());
  EXPECT_EQ(
      shown(report),
      "reach skipped: 'r.example' is behind a firewall: only runners with a way there reach it\n"
      "tls skipped\nprotocol skipped\ncredentials skipped\npull skipped\npush skipped\n");
}

TEST(ConnectionTest, does_not_take_a_denial_of_a_made_up_name_for_a_missing_right) {
  ScriptedHttp made_up{
      {"GET /v2/", reply(200, "{}")},
      {"GET /v2/", reply(200, "{}")},
      {"HEAD /v2/freshet-connection-test/manifests/latest", reply(403)},
      {"GET /v2/freshet-connection-test/manifests/latest", reply(403)},
      {"POST /v2/freshet-connection-test/blobs/uploads/", reply(202)}};
  EXPECT_EQ(
      test(made_up, integration()).at(CheckName::pull).message,
      "pulling from 'r.example/freshet-connection-test' cannot be judged: the registry does not "
      "tell what is missing from what is denied");
  ScriptedHttp named{
      {"GET /v2/", reply(200, "{}")},
      {"GET /v2/", reply(200, "{}")},
      {"HEAD /v2/team/app/manifests/latest", reply(403)},
      {"GET /v2/team/app/manifests/latest", reply(403)},
      {"POST /v2/team/app/blobs/uploads/", reply(202)}};
  EXPECT_EQ(test(named, integration(), "team/app").at(CheckName::pull).result, CheckResult::failed);
}

TEST(ConnectionTest, says_the_truth_about_a_real_registry) {
  if (!RealRegistry::is_installed()) {
    GTEST_SKIP() << RealRegistry::k_program << " is not installed: apt-get install docker-registry";
  }
  const RealRegistry registry;
  asio::io_context io;
  net::CurlHttpClient http(io.get_executor());
  model::RegistryIntegration record = integration(registry.authority(), "team");
  record.username = RealRegistry::k_user;
  const auto outcome = [&](const char* password) {
    return shown(net::testing::run_on(io, probe(http, record, password, "")));
  };
  const std::string start = fmt::format(
      "reach passed: '{0}' answers\n"
      "tls skipped: '{0}' speaks plain http, which is accepted on this machine only\n"
      "protocol passed: '{0}' is a registry (API version 2)\n",
      registry.authority());

  EXPECT_EQ(
      outcome(RealRegistry::k_password),
      start + fmt::format(
                  "credentials passed: '{0}' accepts the credentials of user 'robot'\n"
                  "pull passed: pulling from '{0}/team/freshet-connection-test' is allowed\n"
                  "push passed: pushing to '{0}/team/freshet-connection-test' is allowed\n",
                  registry.authority()));
  EXPECT_EQ(
      outcome("wrong"),
      start + fmt::format(
                  "credentials failed: '{}' refused the credentials of user 'robot'\npull "
                  "skipped\npush skipped\n",
                  registry.authority()));
}

}  // namespace
}  // namespace freshet::registries
