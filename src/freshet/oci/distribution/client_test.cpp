// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/client.hpp"

#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::TransportProblem;
using net::testing::no_answer;
using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;

const std::string k_type = "application/vnd.oci.image.manifest.v1+json";
const std::string k_body = R"({"schemaVersion":2,"config":{},"layers":[]})";
const Digest k_digest = Digest::of(k_body);
const std::string k_other_digest = "sha256:" + std::string(64, 'a');
const net::HttpHeaders k_version{{"Docker-Distribution-Api-Version", "registry/2.0"}};

net::HttpHeaders manifest_headers(std::string digest, std::string type = k_type) {
  return {
      {"Docker-Content-Digest", std::move(digest)},
      {"Content-Type", std::move(type)},
      {"Content-Length", std::to_string(k_body.size())}};
}

template <class T>
std::string failure_of(Awaitable<T> operation) {
  try {
    run(std::move(operation));
  } catch (const Error& error) {
    return error.message();
  }
  return "nothing was thrown";
}

TEST(RegistryClient, asks_docker_hub_at_the_host_of_its_api) {
  ScriptedHttp http{{"GET https://registry-1.docker.io/v2/", reply(401, "", k_version)}};
  RegistryClient client(http, "index.docker.io");

  const PingAnswer answer = run(client.ping(Ctx{}));

  EXPECT_TRUE(answer.is_registry);
  EXPECT_TRUE(answer.is_encrypted);
  EXPECT_TRUE(answer.wants_credentials);
}

TEST(RegistryClient, never_falls_back_to_plain_http_outside_this_machine) {
  ScriptedHttp http{{"GET https://r.example:5000/v2/", no_answer(TransportProblem::tls, "no TLS")}};
  RegistryClient client(http, "r.example:5000");
  EXPECT_EQ(failure_of(client.ping(Ctx{})), "no TLS");
}

TEST(RegistryClient, takes_plain_http_on_loopback_and_remembers_it) {
  for (const char* domain : {"localhost:5000", "127.0.0.1:5000", "127.1.2.3:5000", "[::1]:5000"}) {
    const std::string target = std::string(domain) + "/v2/";
    ScriptedHttp http{
        {"GET https://" + target, no_answer(TransportProblem::tls, "wrong version number")},
        {"GET http://" + target, reply(200, "{}", k_version)},
        {"GET http://" + target, reply(200, "{}", k_version)},
        {"GET http://" + target, reply(200, "{}", k_version)}};
    RegistryClient client(http, domain);

    EXPECT_FALSE(run(client.ping(Ctx{})).is_encrypted);
    EXPECT_TRUE(run(client.ping(Ctx{})).is_registry);
    EXPECT_TRUE(http.finished()) << domain;
  }
}

TEST(RegistryClient, keeps_to_https_on_loopback_where_it_works) {
  ScriptedHttp http{
      {"GET https://localhost/v2/", reply(200, "{}", k_version)},
      {"GET https://localhost/v2/", reply(200, "{}", k_version)}};
  RegistryClient client(http, "localhost");
  EXPECT_TRUE(run(client.ping(Ctx{})).is_encrypted);
}

TEST(RegistryClient, reports_the_tls_failure_when_plain_http_does_not_work_either) {
  ScriptedHttp http{
      {"GET https://localhost:5000/v2/", no_answer(TransportProblem::tls, "bad certificate")},
      {"GET http://localhost:5000/v2/",
       reply(400, "Client sent an HTTP request to an HTTPS server.")}};
  RegistryClient client(http, "localhost:5000");
  EXPECT_EQ(failure_of(client.ping(Ctx{})), "bad certificate");
}

TEST(RegistryClient, does_not_try_plain_http_where_nothing_listens) {
  ScriptedHttp http{
      {"GET https://localhost:5000/v2/", no_answer(TransportProblem::refused, "refused")}};
  RegistryClient client(http, "localhost:5000");
  EXPECT_EQ(failure_of(client.ping(Ctx{})), "refused");
}

TEST(RegistryClient, does_not_judge_a_registry_that_is_in_trouble) {
  ScriptedHttp http{{"GET /v2/", reply(503, "<html>")}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(
      failure_of(client.ping(Ctx{})),
      "'r.example' has a trouble of its own with the first contact");
}

TEST(RegistryClient, says_whose_credentials_are_refused_in_the_registry_s_words) {
  const net::HttpHeaders basic{{"WWW-Authenticate", "Basic realm=\"x\""}};
  const std::string words =
      R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})";
  ScriptedHttp http{{"GET /v2/", reply(401, "", basic)}, {"GET /v2/", reply(401, words, basic)}};
  RegistryClient client(http, "r.example", Credentials{"bob", Secret("x")});
  try {
    run(client.check_credentials(Ctx{}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
    EXPECT_EQ(error.message(), "'r.example' refused the credentials of user 'bob'");
    EXPECT_EQ(error.remote_text(), "UNAUTHORIZED: authentication required");
    EXPECT_EQ(error.http_status(), 401);
  }
}

TEST(RegistryClient, notices_a_login_page_behind_the_credentials) {
  ScriptedHttp http{{"GET /v2/", reply(200, "<html>", {{"Content-Type", "text/html"}})}};
  RegistryClient client(http, "r.example", Credentials{"bob", Secret("x")});
  EXPECT_EQ(
      failure_of(client.check_credentials(Ctx{})),
      "'r.example' is not a registry: it answered HTTP 200 with a 'text/html' page");
}

TEST(RegistryClient, finds_a_manifest_by_head_alone) {
  ScriptedHttp http{
      {"HEAD /v2/team/app/manifests/v1", reply(200, "", manifest_headers(k_digest.to_string()))}};
  RegistryClient client(http, "r.example");

  const auto found = run(client.find_manifest(Ctx{}, "team/app", "v1"));

  EXPECT_EQ(found, (Descriptor{k_type, k_digest, k_body.size()}));
  EXPECT_EQ(
      http.requests()[0].headers.find("Accept"),
      "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
      "application/vnd.docker.distribution.manifest.list.v2+json, "
      "application/vnd.docker.distribution.manifest.v2+json");
}

TEST(RegistryClient, computes_the_digest_where_head_does_not_tell) {
  ScriptedHttp http{
      {"HEAD /v2/app/manifests/v1", reply(200)},
      {"GET /v2/app/manifests/v1",
       reply(200, k_body, {{"Content-Type", k_type + "; charset=utf-8"}})}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(
      run(client.find_manifest(Ctx{}, "app", "v1")), (Descriptor{k_type, k_digest, k_body.size()}));
}

TEST(RegistryClient, tells_an_absent_manifest_from_a_failure) {
  ScriptedHttp http{
      {"HEAD /v2/app/manifests/v1", reply(404)},
      {"HEAD /v2/app/manifests/v1", reply(500)},
      {"GET /v2/app/manifests/v1",
       reply(500, R"({"errors":[{"code":"UNKNOWN","message":"disk"}]})")}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(run(client.find_manifest(Ctx{}, "app", "v1")), std::nullopt);
  EXPECT_EQ(
      failure_of(client.find_manifest(Ctx{}, "app", "v1")),
      "'r.example' has a trouble of its own with reading the manifest of 'app:v1'");
}

std::string manifest_failure(net::testing::Outcome outcome, std::string reference) {
  ScriptedHttp http{{"GET /v2/app/manifests/" + reference, std::move(outcome)}};
  RegistryClient client(http, "r.example");
  return failure_of(client.get_manifest(Ctx{}, "app", reference));
}

TEST(RegistryClient, gets_a_manifest_byte_for_byte) {
  ScriptedHttp http{
      {"GET /v2/app/manifests/" + k_digest.to_string(),
       reply(200, k_body, manifest_headers(k_digest.to_string()))}};
  RegistryClient client(http, "r.example");

  const Manifest manifest = run(client.get_manifest(Ctx{}, "app", k_digest.to_string()));

  EXPECT_EQ(manifest.bytes, k_body);
  EXPECT_EQ(manifest.descriptor, (Descriptor{k_type, k_digest, k_body.size()}));
  EXPECT_EQ(http.requests()[0].max_body_bytes, 4U * 1024 * 1024);
}

TEST(RegistryClient, believes_no_digest_that_does_not_fit) {
  EXPECT_EQ(
      manifest_failure(reply(200, k_body, manifest_headers(k_other_digest)), "v1"),
      "'r.example' sent other bytes for 'app:v1' than their digest '" + k_other_digest + "' says");
  EXPECT_EQ(
      manifest_failure(reply(200, "{}", {{"Content-Type", k_type}}), k_digest.to_string()),
      "'r.example' sent other bytes for 'app@" + k_digest.to_string() + "' than their digest '" +
          k_digest.to_string() + "' says");
  EXPECT_EQ(
      manifest_failure(reply(200, k_body, manifest_headers(k_other_digest)), k_digest.to_string()),
      "'r.example' was asked for '" + k_digest.to_string() + "' and gave '" + k_other_digest + "'");
  EXPECT_EQ(
      manifest_failure(reply(200, k_body, manifest_headers("sha256:../../x")), "v1"),
      "'r.example' answered with the malformed digest 'sha256:../../x'");
}

TEST(RegistryClient, believes_no_manifest_that_is_none) {
  EXPECT_EQ(
      manifest_failure(reply(200, "<html>", {{"Content-Type", "text/html"}}), "v1"),
      "the answer is no image manifest but 'text/html'");
  EXPECT_EQ(manifest_failure(reply(404), "v1"), "'r.example' does not have 'app:v1'");
}

TEST(RegistryClient, takes_no_manifest_that_was_compressed_on_its_way) {
  auto headers = manifest_headers(k_digest.to_string());
  headers.add("Content-Encoding", "gzip");
  EXPECT_EQ(
      manifest_failure(reply(200, "\x1F\x8B…", headers), "v1"),
      "'r.example' sent 'app:v1' encoded ('gzip'), which nobody asked for");
}

TEST(RegistryClient, sends_nothing_for_a_malformed_name) {
  ScriptedHttp http{};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(failure_of(client.find_manifest(Ctx{}, "../x", "v1")), "'../x' is not a repository");
  EXPECT_EQ(
      failure_of(client.find_manifest(Ctx{}, "app", "v1/../../x")),
      "'v1/../../x' is neither a tag nor a digest");
  EXPECT_EQ(failure_of(client.list_tags(Ctx{}, "App")), "'App' is not a repository");
  EXPECT_EQ(failure_of(client.can_push(Ctx{}, "")), "'' is not a repository");
  EXPECT_THROW(RegistryClient(http, "user@r.example"), Error);
  EXPECT_THROW(RegistryClient(http, "r.example/path"), Error);
}

TEST(RegistryClient, deletes_by_digest) {
  const std::string request = "DELETE /v2/app/manifests/" + k_digest.to_string();
  ScriptedHttp http{{request, reply(202)}, {request, reply(405)}, {request, reply(404)}};
  RegistryClient client(http, "r.example");
  EXPECT_NO_THROW(run(client.delete_manifest(Ctx{}, "app", k_digest)));
  EXPECT_EQ(
      failure_of(client.delete_manifest(Ctx{}, "app", k_digest)),
      "'r.example' does not let images be deleted");
  EXPECT_EQ(
      failure_of(client.delete_manifest(Ctx{}, "app", k_digest)),
      "'r.example' does not have 'app@" + k_digest.to_string() + "'");
}

}  // namespace
}  // namespace freshet::oci
