// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/certificates.hpp"
#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/net/url.hpp"

#include <boost/asio/ssl.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using testing::LoopbackServer;
using Socket = LoopbackServer::Socket;

/// "builder:pass word" in base64.
constexpr std::string_view k_credentials =
    "Proxy-Authorization: Basic YnVpbGRlcjpwYXNzIHdvcmQ=\r\n";

/// Request lines that the proxy was sent.
struct Log {
  void add(const std::string& header) {
    const std::scoped_lock lock(mutex);
    lines.push_back(header.substr(0, header.find('\r')));
  }
  std::vector<std::string> all() const {
    const std::scoped_lock lock(mutex);
    return lines;
  }
  mutable std::mutex mutex;
  std::vector<std::string> lines;
};

/// A proxy that wants credentials, answers plain requests itself and says no to every tunnel.
Awaitable<void> serve_proxy(Socket socket, Log* log) {
  std::string rest;
  for (;;) {
    const std::string header = co_await testing::read_header(socket, rest);
    log->add(header);
    const bool is_known = header.find(k_credentials) != std::string::npos;
    const bool is_tunnel = header.starts_with("CONNECT ");
    std::string answer = testing::http_answer("200 OK", "through the proxy");
    if (!is_known) {
      answer = testing::http_answer(
          "407 Proxy Authentication Required",
          "you sent " + header,
          "Proxy-Authenticate: Basic realm=\"p\"\r\n");
    } else if (is_tunnel) {
      answer = testing::http_answer("403 Forbidden", "");
    }
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  }
}

Awaitable<void> pump(Socket& from, Socket& to) {
  std::string piece(16UL * 1024, '\0');
  for (;;) {
    const std::size_t count =
        co_await from.async_read_some(asio::buffer(piece), asio::use_awaitable);
    co_await asio::async_write(to, asio::buffer(piece, count), asio::use_awaitable);
  }
}

/// A proxy that opens every tunnel to `port` of loopback.
Awaitable<void> serve_tunnel(Socket socket, std::uint16_t port) {
  using namespace asio::experimental::awaitable_operators;
  std::string rest;
  co_await testing::read_header(socket, rest);
  Socket server(socket.get_executor());
  const asio::ip::tcp::endpoint target(asio::ip::address_v4::loopback(), port);
  co_await server.async_connect(target, asio::use_awaitable);
  const std::string answer = "HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n";
  co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  co_await (pump(socket, server) && pump(server, socket));
}

Awaitable<void> serve_tls(Socket socket, std::shared_ptr<asio::ssl::context> context) {
  asio::ssl::stream<Socket> stream(std::move(socket), *context);
  co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
  std::string received;
  auto buffer = asio::dynamic_buffer(received);
  co_await asio::async_read_until(stream, buffer, "\r\n\r\n", asio::use_awaitable);
  const std::string answer = testing::http_answer("200 OK", received);
  co_await asio::async_write(stream, asio::buffer(answer), asio::use_awaitable);
}

/// Of a port that nobody listens at any more.
std::string closed_port_url() {
  const LoopbackServer gone([](Socket) -> Awaitable<void> { co_return; });
  return gone.url("");
}

class CurlProxyTest : public ::testing::Test {
 protected:
  CurlProxyTest() {
    ::unsetenv("no_proxy");
    ::unsetenv("NO_PROXY");
    settings_.proxy = proxy_.url("");
    settings_.proxy_username = "builder";
    settings_.proxy_password = Secret("pass word");
  }
  ~CurlProxyTest() override { ::unsetenv("no_proxy"); }

  HttpResponse send(std::string url, bool refuse_internal_peer = false) {
    CurlHttpClient client(io_.get_executor(), settings_);
    HttpRequest request;
    request.url = std::move(url);
    request.refuse_internal_peer = refuse_internal_peer;
    return testing::run_on(io_, client.send(Ctx{}.within(30s), request));
  }
  Error failure_of(std::string url) {
    try {
      send(std::move(url));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "there was an answer";
    return Error(ErrorCode::internal, "none");
  }

  Log log_;
  LoopbackServer proxy_{[this](Socket socket) { return serve_proxy(std::move(socket), &log_); }};
  ConnectionSettings settings_;
  asio::io_context io_;
};

TEST_F(CurlProxyTest, asks_plain_servers_through_the_proxy_with_its_credentials) {
  const HttpResponse response = send("http://registry.example/v2/");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "through the proxy");
  EXPECT_EQ(response.peer_address, "");
  EXPECT_EQ(log_.all(), std::vector<std::string>{"GET http://registry.example/v2/ HTTP/1.1"});
}

TEST_F(CurlProxyTest, goes_straight_to_hosts_that_the_environment_excepts) {
  const LoopbackServer server(
      testing::answering([](const std::string&) { return testing::http_answer("200 OK", "x"); }));
  ::setenv("no_proxy", "127.0.0.1", 1);
  EXPECT_EQ(send(server.url()).body, "x");
  EXPECT_TRUE(log_.all().empty());
}

TEST_F(CurlProxyTest, opens_tunnels_to_https_servers_and_says_when_it_may_not) {
  const Error error = failure_of("https://registry.example/v2/");
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_EQ(
      error.message(), "the proxy on the way to 'registry.example' let nothing through (HTTP 403)");
  EXPECT_EQ(error.hint(), "ask whoever runs the proxy whether it may reach this host");
  EXPECT_EQ(log_.all(), std::vector<std::string>{"CONNECT registry.example:443 HTTP/1.1"});
}

TEST_F(CurlProxyTest, tells_the_server_behind_a_tunnel_nothing_of_the_proxy_s_credentials) {
  const auto authority = testing::Certificate::authority("ours");
  const auto certificate = authority.issue_server();
  const auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  const std::string pem = certificate.certificate_pem();
  context->use_certificate_chain(asio::buffer(pem));
  const std::string key = certificate.key_pem();
  context->use_private_key(asio::buffer(key), asio::ssl::context::pem);
  const LoopbackServer server(
      [context](Socket socket) { return serve_tls(std::move(socket), context); });
  const auto port = static_cast<std::uint16_t>(parse_url(server.url())->port);
  const LoopbackServer tunnel(
      [port](Socket socket) { return serve_tunnel(std::move(socket), port); });
  settings_.proxy = tunnel.url("");
  settings_.ca_certificates = authority.certificate_pem();

  const HttpResponse response = send("https://localhost/v2/");

  EXPECT_TRUE(response.body.starts_with("GET /v2/ HTTP/1.1\r\nHost: localhost\r\n"))
      << response.body;
  EXPECT_EQ(response.body.find("Proxy"), std::string::npos) << response.body;
  EXPECT_EQ(response.headers.find("X-Proxy"), std::nullopt);
  EXPECT_EQ(tunnel.connections(), 1);
}

TEST_F(CurlProxyTest, shows_nothing_of_credentials_that_the_proxy_refuses) {
  settings_.proxy_password = Secret("wrong");
  for (const char* url : {"https://registry.example/v2/", "http://registry.example/v2/"}) {
    const Error error = failure_of(url);
    EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
    EXPECT_EQ(
        error.message(),
        "the proxy on the way to 'registry.example' wants other credentials (HTTP 407)");
    EXPECT_EQ(error.hint(), "check the user name and password of the proxy");
    EXPECT_EQ(error.remote_text(), "");
  }
}

TEST_F(CurlProxyTest, refuses_a_proxy_url_with_credentials_and_repeats_none_of_them) {
  settings_.proxy = "http://builder:hunter2@proxy.example:3128";
  const Error error = failure_of("http://registry.example/");
  EXPECT_EQ(error.code(), ErrorCode::invalid_input);
  EXPECT_EQ(error.message(), "the URL of the proxy 'proxy.example:3128' contains credentials");
  EXPECT_EQ(error.hint(), "give its user name and password apart from the URL");
  settings_.proxy = "proxy.example:3128";
  EXPECT_EQ(failure_of("http://x.example/").message(), "the proxy is not an http or https URL");
}

TEST_F(CurlProxyTest, dials_nobody_past_the_proxy_whose_address_was_to_be_checked) {
  const LoopbackServer server(
      testing::answering([](const std::string&) { return testing::http_answer("200 OK", "x"); }));
  ::setenv("no_proxy", "127.0.0.1", 1);
  EXPECT_EQ(send(server.url(), true).body, "through the proxy");
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlProxyTest, checks_addresses_where_the_proxy_is_for_another_scheme) {
  const LoopbackServer server(
      testing::answering([](const std::string&) { return testing::http_answer("200 OK", "x"); }));
  settings_ = ConnectionSettings();
  ::setenv("https_proxy", proxy_.url("").c_str(), 1);
  try {
    send(server.url(), true);
    ADD_FAILURE() << "there was an answer";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
  }
  ::unsetenv("https_proxy");
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlProxyTest, leaves_it_to_the_proxy_which_addresses_may_be_reached) {
  EXPECT_EQ(send("http://127.0.0.2/", true).body, "through the proxy");
}

TEST_F(CurlProxyTest, says_whether_the_proxy_or_the_server_refused_the_connection) {
  settings_.proxy = closed_port_url();
  const Error of_proxy = failure_of("https://127.0.0.1:1/");
  EXPECT_EQ(of_proxy.message(), "the proxy on the way to '127.0.0.1:1' refused the connection");
  EXPECT_EQ(of_proxy.hint(), "check the address of the proxy, and that it runs");
  ::setenv("no_proxy", "127.0.0.1", 1);
  EXPECT_EQ(failure_of("https://127.0.0.1:1/").message(), "'127.0.0.1:1' refused the connection");
}

TEST_F(CurlProxyTest, says_that_the_proxy_does_not_resolve) {
  settings_.proxy = "http://proxy.invalid:3128";
  EXPECT_EQ(
      failure_of("http://registry.example/").message(),
      "the proxy on the way to 'registry.example' does not resolve to an address");
}

}  // namespace
}  // namespace freshet::net
