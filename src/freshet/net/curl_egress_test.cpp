// SPDX-License-Identifier: Apache-2.0
// What is dialled under an egress policy, and what is said of the rest.
#include "freshet/base/error_text.hpp"
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using testing::answering;
using testing::http_answer;
using testing::LoopbackServer;

/// An environment variable that is set, or nullopt: is not, for a while.
class Variable {
 public:
  Variable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* old = ::getenv(name)) {
      old_ = old;
    }
    set(value);
  }
  ~Variable() { set(old_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const std::optional<std::string>& value) const {
    value ? ::setenv(name_, value->c_str(), 1) : ::unsetenv(name_);
  }

  const char* name_;
  std::optional<std::string> old_;
};

class EgressTest : public ::testing::Test {
 protected:
  /// `status body` of a GET, or its failure as it reads in a terminal.
  std::string get(std::string_view rules, const std::string& url) {
    HttpRequest request;
    request.url = url;
    return send(rules, request);
  }
  std::string get(
      std::string_view rules, const std::string& url, const ConnectionSettings& settings) {
    HttpRequest request;
    request.url = url;
    return send(rules, request, settings);
  }
  std::string send(
      std::string_view rules,
      const HttpRequest& request,
      const ConnectionSettings& settings = ConnectionSettings()) {
    CurlHttpClient client(io_.get_executor(), settings, EgressPolicy(rules, "FRESHET_EGRESS"));
    try {
      const HttpResponse response = testing::run_on(io_, client.send(Ctx{}.within(20s), request));
      return fmt::format("{} {}", response.status, response.body);
    } catch (const TransportError& error) {
      const bool is_refusal = error.kind() == TransportProblem::forbidden;
      EXPECT_EQ(is_refusal, error.code() == ErrorCode::upstream_denied);
      return to_terminal(error);
    }
  }
  ConnectionSettings behind_proxy(const std::string& host = "127.0.0.1") const {
    ConnectionSettings settings;
    settings.proxy = "http://" + host + port_;
    return settings;
  }
  static std::string refusal(const std::string& authority, const std::string& who = "") {
    return "error: no connection to " + who + "'" + authority +
           "': the administrator's egress policy permits none\n"
           "hint: FRESHET_EGRESS says what may be reached; a name that does not resolve gets the "
           "same answer\n";
  }
  static std::string proxy_refusal(const std::string& authority) {
    return refusal(authority, "the proxy on the way to ");
  }

  const LoopbackServer server_{
      answering([](const std::string&) { return http_answer("200 OK", "x"); })};
  const std::string port_ = server_.authority().substr(server_.authority().find(':'));
  asio::io_context io_;
  // The developer's own.
  const Variable all_proxy_{"all_proxy", std::nullopt};
  const Variable all_proxy_upper_{"ALL_PROXY", std::nullopt};
  const Variable http_proxy_{"http_proxy", std::nullopt};
  const Variable no_proxy_{"no_proxy", std::nullopt};
  const Variable no_proxy_upper_{"NO_PROXY", std::nullopt};
};

TEST_F(EgressTest, reaches_what_is_permitted_by_address_or_by_name) {
  EXPECT_EQ(get("127.0.0.0/8", server_.url()), "200 x");
  EXPECT_EQ(get("public,127.0.0.0/8", "http://localhost" + port_ + "/"), "200 x");
  EXPECT_EQ(get("localhost", "http://localhost" + port_ + "/"), "200 x");
  EXPECT_EQ(server_.connections(), 3);
}

TEST_F(EgressTest, refuses_in_the_same_words_what_listens_what_does_not_and_what_does_not_exist) {
  const std::vector<std::string> authorities{
      server_.authority(),
      "127.0.0.1:1",
      "localhost" + port_,
      "localhost:1",
      "no-such-host.invalid",
      "172.31.255.254:81",  // whoever dials it may wait in vain
      "[::ffff:127.0.0.1]" + port_};
  for (const char* rules : {"public", "registry.example.com", "10.0.0.0/8"}) {
    for (const std::string& authority : authorities) {
      EXPECT_EQ(get(rules, "http://" + authority + "/"), refusal(authority)) << rules;
    }
  }
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(EgressTest, refuses_uploads_before_their_body_is_read) {
  struct Unread final : ByteStream {
    Awaitable<std::size_t> read(asio::mutable_buffer) override {
      is_read = true;
      co_return 0;
    }
    bool is_read = false;
  } body;
  HttpRequest request;
  request.method = "PUT";
  request.url = server_.url();
  request.body_stream = &body;

  EXPECT_EQ(send("registry.example.com", request), refusal(server_.authority()));

  EXPECT_FALSE(body.is_read);
}

TEST_F(EgressTest, keeps_the_full_errors_of_what_is_permitted) {
  EXPECT_EQ(
      get("127.0.0.0/8", "http://127.0.0.1:1/"),
      "error: '127.0.0.1:1' refused the connection\n"
      "hint: check the port, and that something listens there\n");
  EXPECT_EQ(
      get("127.0.0.0/8", "http://localhost:1/"),
      "error: 'localhost:1' refused the connection\n"
      "hint: check the port, and that something listens there\n");
  EXPECT_EQ(
      get("*.invalid", "http://no-such-host.invalid/"),
      "error: the name 'no-such-host.invalid' does not resolve to an address\n"
      "hint: check its spelling and this machine's DNS\n");
}

// --- proxies ---

TEST_F(EgressTest, judges_a_proxy_by_its_own_host) {
  const std::string url = "http://elsewhere.test/";
  EXPECT_EQ(get("public,127.0.0.0/8", url, behind_proxy()), "200 x");
  EXPECT_EQ(get("public,localhost", url, behind_proxy("localhost")), "200 x");
  EXPECT_EQ(get("public", url, behind_proxy()), proxy_refusal("elsewhere.test"));
  EXPECT_EQ(get("public", url, behind_proxy("localhost")), proxy_refusal("elsewhere.test"));
  EXPECT_EQ(get("elsewhere.test", url, behind_proxy()), proxy_refusal("elsewhere.test"));
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(EgressTest, judges_what_a_proxy_is_asked_for) {
  const std::string rules = "127.0.0.1,10.1.0.0/16,elsewhere.test";
  EXPECT_EQ(get(rules, "http://elsewhere.test/", behind_proxy()), "200 x");
  EXPECT_EQ(get(rules, "http://10.1.2.3/", behind_proxy()), "200 x");
  EXPECT_EQ(get(rules, "http://other.test/", behind_proxy()), refusal("other.test"));
  EXPECT_EQ(get(rules, "http://10.2.2.3/", behind_proxy()), refusal("10.2.2.3"));
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(EgressTest, judges_the_proxy_of_the_environment) {
  const Variable proxy("http_proxy", "user:pass-word@" + server_.authority());
  EXPECT_EQ(get("public,127.0.0.1", "http://elsewhere.test/"), "200 x");
  EXPECT_EQ(get("public", "http://elsewhere.test/"), proxy_refusal("elsewhere.test"));
}

TEST_F(EgressTest, takes_no_proxys_host_for_one_that_is_asked_without_it) {
  ConnectionSettings settings;
  settings.proxy = "http://proxy.test:3128";
  const Variable exempt("no_proxy", "other.test,127.0.0.1");
  EXPECT_EQ(get("proxy.test", server_.url(), settings), refusal(server_.authority()));
  EXPECT_EQ(server_.connections(), 0);
  EXPECT_EQ(get("127.0.0.1", server_.url(), settings), "200 x");
}

TEST_F(EgressTest, lets_nothing_around_a_proxy_that_must_not_end_at_an_internal_address) {
  const Variable exempt("no_proxy", "*");
  HttpRequest request;
  request.url = "http://elsewhere.test/";
  request.refuse_internal_peer = true;
  EXPECT_EQ(send("public,127.0.0.1", request, behind_proxy()), "200 x");
}

}  // namespace
}  // namespace freshet::net
