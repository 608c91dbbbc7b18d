// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/http_clients.hpp"
#include "freshet/net/testing/certificates.hpp"
#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"

#include <boost/asio/ssl.hpp>
#include <gtest/gtest.h>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using testing::Certificate;
using testing::LoopbackServer;
using Context = std::shared_ptr<asio::ssl::context>;
using Socket = LoopbackServer::Socket;

Context make_context(const Certificate& certificate) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  const std::string pem = certificate.certificate_pem();
  context->use_certificate_chain(asio::buffer(pem));
  const std::string key = certificate.key_pem();
  context->use_private_key(asio::buffer(key), asio::ssl::context::pem);
  return context;
}

/// Answers every request on the connection by the name in the client's certificate, if it has one.
Awaitable<void> serve_tls(Socket socket, Context context) {
  asio::ssl::stream<Socket> stream(std::move(socket), *context);
  co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
  const std::unique_ptr<X509, decltype(&X509_free)> peer(
      SSL_get1_peer_certificate(stream.native_handle()), X509_free);
  char name[64] = "nobody";
  if (peer != nullptr) {
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name, sizeof name);
  }
  std::string received;
  for (;;) {
    auto buffer = asio::dynamic_buffer(received);
    const std::size_t length =
        co_await asio::async_read_until(stream, buffer, "\r\n\r\n", asio::use_awaitable);
    received.erase(0, length);
    const std::string answer = testing::http_answer("200 OK", name);
    co_await asio::async_write(stream, asio::buffer(answer), asio::use_awaitable);
  }
}

LoopbackServer::Session serving(Context context) {
  return [context](Socket socket) { return serve_tls(std::move(socket), context); };
}

HttpResponse send(asio::io_context& io, HttpClient& client, std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return testing::run_on(io, client.send(Ctx{}.within(30s), request));
}

HttpResponse send(std::string url, ConnectionSettings settings = {}) {
  asio::io_context io;
  CurlHttpClient client(io.get_executor(), std::move(settings));
  return send(io, client, std::move(url));
}

TransportError failure_of(std::string url, ConnectionSettings settings = {}) {
  try {
    send(std::move(url), std::move(settings));
  } catch (const TransportError& error) {
    return error;
  }
  ADD_FAILURE() << "there was an answer";
  return TransportError(TransportProblem::other, ErrorCode::internal, "none");
}

TEST(CurlTls, does_not_talk_to_a_server_whose_certificate_nobody_vouches_for) {
  const LoopbackServer server(serving(make_context(Certificate::self_signed())));

  const TransportError error = failure_of("https://" + server.authority());

  EXPECT_EQ(error.kind(), TransportProblem::tls);
  EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
  EXPECT_EQ(
      error.message(),
      "no TLS connection to '" + server.authority() +
          "': SSL certificate problem: self-signed certificate");
  EXPECT_EQ(
      error.hint(),
      "its certificate must be valid for this name and signed by an authority that this machine "
      "trusts; a private one is added with 'update-ca-certificates'");
}

TEST(CurlTls, says_that_a_plain_server_does_not_speak_tls) {
  const LoopbackServer server([](Socket socket) -> Awaitable<void> {
    const std::string answer = testing::http_answer("400 Bad Request", "");
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
    char byte = 0;
    co_await asio::async_read(socket, asio::buffer(&byte, 1), asio::use_awaitable);
  });

  const TransportError error = failure_of("https://" + server.authority());

  EXPECT_EQ(error.kind(), TransportProblem::tls);
  EXPECT_NE(error.message().find("wrong version number"), std::string::npos) << error.message();
  EXPECT_EQ(error.hint(), "check that it speaks https on this port");
}

TEST(CurlTls, trusts_the_configured_authorities_beside_those_of_the_system) {
  const Certificate other = Certificate::authority("other");
  const Certificate authority = Certificate::authority("ours");
  const LoopbackServer server(serving(make_context(authority.issue_server())));
  ConnectionSettings settings;
  settings.ca_certificates = other.certificate_pem() + "\n" + authority.certificate_pem();

  EXPECT_EQ(send("https://" + server.authority(), settings).body, "nobody");

  settings.ca_certificates = other.certificate_pem();
  const TransportError error = failure_of("https://" + server.authority(), settings);
  EXPECT_EQ(error.kind(), TransportProblem::tls);
  EXPECT_EQ(
      error.message(),
      "no TLS connection to '" + server.authority() +
          "': SSL certificate problem: unable to get local issuer certificate");
  EXPECT_EQ(
      error.hint(),
      "its certificate must be valid for this name and signed by one of the configured CA "
      "certificates or an authority that this machine trusts");
}

TEST(CurlTls, trusts_a_configured_authority_for_the_right_name_only) {
  const Certificate authority = Certificate::authority("ours");
  const LoopbackServer server(serving(make_context(authority.issue_client("elsewhere.example"))));
  ConnectionSettings settings;
  settings.ca_certificates = authority.certificate_pem();
  EXPECT_EQ(failure_of("https://" + server.authority(), settings).kind(), TransportProblem::tls);
}

TEST(CurlTls, shows_its_client_certificate) {
  const Certificate authority = Certificate::authority("ours");
  const Context context = make_context(authority.issue_server());
  const std::string pem = authority.certificate_pem();
  context->add_certificate_authority(asio::buffer(pem));
  context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  const LoopbackServer server(serving(context));
  const Certificate client = authority.issue_client("builder");
  ConnectionSettings settings;
  settings.ca_certificates = pem;
  failure_of("https://" + server.authority(), settings);  // shows none

  settings.client_certificate = client.certificate_pem();
  settings.client_key = Secret(client.key_pem());

  EXPECT_EQ(send("https://" + server.authority(), settings).body, "builder");
}

TEST(CurlTls, accepts_any_certificate_only_for_those_who_turned_verification_off) {
  const LoopbackServer server(serving(make_context(Certificate::self_signed())));
  const std::string url = "https://" + server.authority();
  asio::io_context io;
  HttpClients clients(io.get_executor());
  ConnectionSettings careless;
  careless.is_verification_off = true;

  EXPECT_EQ(send(io, clients.client_for(careless), url).body, "nobody");
  EXPECT_THROW(send(io, clients.client_for({}), url), TransportError);
  EXPECT_EQ(send(io, clients.client_for(careless), url).body, "nobody");
  EXPECT_THROW(send(io, clients.client_for({}), url), TransportError);
}

TEST(CurlTls, refuses_certificates_and_keys_that_are_none) {
  const Certificate authority = Certificate::authority("ours");
  const Certificate client = authority.issue_client("builder");
  const auto refusal_of = [](const ConnectionSettings& settings) {
    asio::io_context io;
    try {
      const CurlHttpClient unused(io.get_executor(), settings);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_input);
      return error.message();
    }
    return std::string("taken");
  };
  ConnectionSettings settings;
  for (const std::string& text :
       {std::string("nonsense"),
        authority.certificate_pem() + authority.certificate_pem().substr(0, 200),
        authority.key_pem()}) {
    settings.ca_certificates = text;
    EXPECT_EQ(refusal_of(settings), "the CA certificates are not all certificates in PEM form");
  }
  settings.ca_certificates.clear();
  settings.client_key = Secret(client.key_pem());
  EXPECT_EQ(refusal_of(settings), "the client certificate is not a certificate in PEM form");
  settings.client_certificate = client.certificate_pem();
  EXPECT_EQ(refusal_of(settings), "taken");
  settings.client_key = Secret("key");
  EXPECT_EQ(
      refusal_of(settings), "the key of the client certificate is not a private key in PEM form");
  settings.client_key = Secret(authority.key_pem());
  EXPECT_EQ(refusal_of(settings), "the client certificate and the key do not belong together");
}

TEST(HttpClients, share_a_client_among_equal_settings_only) {
  asio::io_context io;
  HttpClients clients(io.get_executor());
  ConnectionSettings settings;
  settings.proxy = "http://proxy.example:3128";
  HttpClient& plain = clients.client_for({});
  HttpClient& proxied = clients.client_for(settings);
  EXPECT_EQ(&clients.client_for({}), &plain);
  EXPECT_EQ(&clients.client_for(settings), &proxied);
  EXPECT_NE(&plain, &proxied);
  settings.proxy_password = Secret("p");
  EXPECT_NE(&clients.client_for(settings), &proxied);
}

}  // namespace
}  // namespace freshet::net
