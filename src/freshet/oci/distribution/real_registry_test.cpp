// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/testing/real_registry.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/oci/distribution/client.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;
using testing::RealRegistry;
using Names = std::vector<std::string>;

/// One registry for all tests of this file; each works in a repository of its own.
class RealRegistryTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (RealRegistry::is_installed()) {
      registry_ = std::make_unique<RealRegistry>();
    }
  }
  static void TearDownTestSuite() { registry_.reset(); }

  void SetUp() override {
    if (registry_ == nullptr) {
      GTEST_SKIP() << RealRegistry::k_program
                   << " is not installed: apt-get install docker-registry";
    }
    ASSERT_NE(registry_->authority(), "") << "docker-registry did not start";
  }

  RegistryClient client(std::string password = RealRegistry::k_password) {
    Credentials credentials{RealRegistry::k_user, Secret(std::move(password))};
    return RegistryClient(http_, registry_->authority(), std::move(credentials));
  }

  template <class T>
  T run(Awaitable<T> operation) {
    return net::testing::run_on(io_, std::move(operation));
  }

  net::HttpResponse send(std::string method, std::string url, std::string body, std::string type) {
    net::HttpRequest request;
    request.method = std::move(method);
    request.url = url.starts_with("http") ? url : "http://" + registry_->authority() + url;
    request.body = std::move(body);
    request.headers.add("Content-Type", std::move(type));
    request.headers.add(
        "Authorization",
        "Basic " + to_base64(std::string(RealRegistry::k_user) + ":" + RealRegistry::k_password));
    return run(http_.send(Ctx{}.within(30s), request));
  }

  /// Pushes an image without layers; returns the digest of its manifest.
  std::string push_image(const std::string& repository, const std::string& tag) {
    const std::string config = "{}";
    const std::string digest = Digest::of(config).to_string();
    const auto begun = send("POST", "/v2/" + repository + "/blobs/uploads/", "", "text/plain");
    const std::string location = begun.headers.find("Location").value_or("");
    const std::string end =
        location + (location.find('?') == std::string::npos ? "?" : "&") + "digest=" + digest;
    EXPECT_EQ(send("PUT", end, config, "application/octet-stream").status, 201);
    const std::string type = "application/vnd.oci.image.manifest.v1+json";
    const std::string manifest = fmt::format(
        R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}",)"
        R"("digest":"{}","size":2}},"layers":[]}})",
        type,
        "application/vnd.oci.image.config.v1+json",
        digest);
    EXPECT_EQ(send("PUT", "/v2/" + repository + "/manifests/" + tag, manifest, type).status, 201);
    return Digest::of(manifest).to_string();
  }

  static std::unique_ptr<RealRegistry> registry_;
  asio::io_context io_;
  net::CurlHttpClient http_{io_.get_executor()};
};

std::unique_ptr<RealRegistry> RealRegistryTest::registry_;

TEST_F(RealRegistryTest, is_recognised_over_plain_http) {
  RegistryClient anybody(http_, registry_->authority());
  const PingAnswer answer = run(anybody.ping(Ctx{}.within(30s)));
  EXPECT_TRUE(answer.is_registry);
  EXPECT_FALSE(answer.is_encrypted);
  EXPECT_TRUE(answer.wants_credentials);
}

TEST_F(RealRegistryTest, accepts_the_right_password_and_refuses_the_wrong_one) {
  RegistryClient right = client();
  EXPECT_NO_THROW(run(right.check_credentials(Ctx{}.within(30s))));

  RegistryClient wrong = client("wrong");
  try {
    run(wrong.check_credentials(Ctx{}.within(30s)));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(
        error.message(),
        "'" + registry_->authority() + "' refused the credentials of user 'robot'");
    EXPECT_EQ(error.remote_text(), "UNAUTHORIZED: authentication required");
    EXPECT_EQ(error.http_status(), 401);
  }
}

TEST_F(RealRegistryTest, lets_push_with_credentials_only) {
  RegistryClient right = client();
  EXPECT_EQ(run(right.can_push(Ctx{}.within(30s), "probe/app")).answer, PushProbe::Answer::yes);
  RegistryClient wrong = client("wrong");
  const PushProbe probe = run(wrong.can_push(Ctx{}.within(30s), "probe/app"));
  EXPECT_EQ(probe.answer, PushProbe::Answer::no);
  EXPECT_EQ(probe.remote_text.substr(0, 13), "UNAUTHORIZED:");
}

TEST_F(RealRegistryTest, lists_what_was_pushed) {
  for (const char* tag : {"v1", "v2", "v3"}) {
    push_image("lists/app", tag);
  }
  push_image("lists/other", "latest");
  RegistryClient asked = client();

  EXPECT_EQ(run(asked.list_tags(Ctx{}.within(30s), "lists/app")), (Names{"v1", "v2", "v3"}));
  const Names repositories = run(asked.list_repositories(Ctx{}.within(30s)));
  EXPECT_EQ(std::count(repositories.begin(), repositories.end(), "lists/app"), 1);
  EXPECT_EQ(std::count(repositories.begin(), repositories.end(), "lists/other"), 1);
}

TEST_F(RealRegistryTest, finds_reads_and_deletes_a_manifest) {
  const std::string digest = push_image("found/app", "v1");
  RegistryClient asked = client();
  const Ctx ctx = Ctx{}.within(30s);

  const auto found = run(asked.find_manifest(ctx, "found/app", "v1"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest.to_string(), digest);
  EXPECT_EQ(found->media_type, "application/vnd.oci.image.manifest.v1+json");
  const Manifest manifest = run(asked.get_manifest(ctx, "found/app", digest));
  EXPECT_EQ(manifest.descriptor, *found);
  EXPECT_EQ(run(asked.find_manifest(ctx, "found/app", "v2")), std::nullopt);

  run(asked.delete_manifest(ctx, "found/app", found->digest));
  EXPECT_EQ(run(asked.find_manifest(ctx, "found/app", digest)), std::nullopt);
}

TEST_F(RealRegistryTest, names_an_unknown_repository) {
  RegistryClient asked = client();
  try {
    run(asked.list_tags(Ctx{}.within(30s), "no/such"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(
        error.message(), "'" + registry_->authority() + "' does not have repository 'no/such'");
  }
}

Awaitable<void> answer_whatever_comes(net::testing::LoopbackServer::Socket socket) {
  char buffer[1024];
  co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
  const std::string answer = net::testing::http_answer(
      "404 File not found",
      "<!DOCTYPE HTML><html>no</html>",
      "Content-Type: text/html;charset=utf-8\r\nConnection: close\r\n");
  co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
}

TEST(WrongServer, is_told_from_a_registry) {
  const net::testing::LoopbackServer server(&answer_whatever_comes);
  asio::io_context io;
  net::CurlHttpClient http(io.get_executor());
  RegistryClient client(http, server.authority());

  const PingAnswer answer = net::testing::run_on(io, client.ping(Ctx{}.within(30s)));

  EXPECT_FALSE(answer.is_registry);
  EXPECT_EQ(answer.evidence, "HTTP 404 with a 'text/html' page");
}

}  // namespace
}  // namespace freshet::oci
