// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"

#include <boost/asio/ssl.hpp>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using testing::LoopbackServer;
using Socket = LoopbackServer::Socket;

/// A server context with a fresh key and a certificate for `localhost` that signs itself.
std::shared_ptr<asio::ssl::context> make_self_signed_context() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>("localhost");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX_use_certificate(context->native_handle(), certificate.get());
  SSL_CTX_use_PrivateKey(context->native_handle(), key.get());
  return context;
}

Awaitable<void> serve_tls(Socket socket, std::shared_ptr<asio::ssl::context> context) {
  asio::ssl::stream<Socket> stream(std::move(socket), *context);
  co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
  const std::string answer = testing::http_answer("200 OK", "stolen");
  co_await asio::async_write(stream, asio::buffer(answer), asio::use_awaitable);
}

TransportError failure_of(std::string url) {
  asio::io_context io;
  CurlHttpClient client(io.get_executor());
  HttpRequest request;
  request.url = std::move(url);
  try {
    testing::run_on(io, client.send(Ctx{}.within(30s), request));
  } catch (const TransportError& error) {
    return error;
  }
  ADD_FAILURE() << "there was an answer";
  return TransportError(TransportProblem::other, ErrorCode::internal, "none");
}

TEST(CurlTls, does_not_talk_to_a_server_whose_certificate_nobody_vouches_for) {
  const auto context = make_self_signed_context();
  const LoopbackServer server(
      [context](Socket socket) { return serve_tls(std::move(socket), context); });

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

}  // namespace
}  // namespace freshet::net
