// SPDX-License-Identifier: Apache-2.0
// The client over TLS, with a server made here: one self-signed certificate is everybody's
// identity.
#include "freshet/base/ids.hpp"
#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/run.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>

namespace freshet::engine {
namespace {

using testing::failure_of;
using testing::run;
namespace ssl = asio::ssl;

/// `cert.pem` for 127.0.0.1 and its `key.pem` in a directory of their own.
class Certificate {
 public:
  Certificate() : directory(fs::temp_directory_path() / ("tls-test-" + make_id())) {
    make_private_directory(directory);
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* common_name = reinterpret_cast<const unsigned char*>("fake engine");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    write("cert.pem", [&](std::FILE* file) { PEM_write_X509(file, certificate); });
    write("key.pem", [&](std::FILE* file) {
      PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Certificate() { remove_tree(directory); }

  fs::path file() const { return directory / "cert.pem"; }
  fs::path key() const { return directory / "key.pem"; }

  fs::path directory;

 private:
  template <class Write>
  void write(std::string_view name, Write write_to) {
    std::FILE* file = std::fopen((directory / name).c_str(), "w");
    write_to(file);
    std::fclose(file);
  }
};

/// Answers one connection: each of `answers` after one request head.
class TlsServer {
 public:
  TlsServer(asio::io_context& io, const Certificate& certificate, bool wants_certificate)
      : tls_(ssl::context::tls_server),
        acceptor_(io, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    tls_.use_certificate_chain_file(certificate.file().string());
    tls_.use_private_key_file(certificate.key().string(), ssl::context::pem);
    if (wants_certificate) {
      tls_.load_verify_file(certificate.file().string());
      tls_.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    }
  }

  void answer(std::vector<std::string> answers) {
    asio::co_spawn(
        acceptor_.get_executor(), serve(std::move(answers)), [](const std::exception_ptr&) {});
  }

  Endpoint endpoint() const {
    Endpoint endpoint;
    endpoint.kind = Endpoint::Kind::tls;
    endpoint.host = "127.0.0.1";
    endpoint.port = std::to_string(acceptor_.local_endpoint().port());
    return endpoint;
  }

 private:
  Awaitable<void> serve(std::vector<std::string> answers) {
    ssl::stream<asio::ip::tcp::socket> stream(
        co_await acceptor_.async_accept(asio::use_awaitable), tls_);
    co_await stream.async_handshake(ssl::stream_base::server, asio::use_awaitable);
    std::string buffer;
    for (const std::string& answer : answers) {
      const std::size_t size = co_await asio::async_read_until(
          stream, asio::dynamic_buffer(buffer), "\r\n\r\n", asio::use_awaitable);
      buffer.erase(0, size);
      co_await asio::async_write(stream, asio::buffer(answer), asio::use_awaitable);
    }
    co_await asio::async_read_until(
        stream, asio::dynamic_buffer(buffer), "END", asio::use_awaitable);
    co_await asio::async_write(stream, asio::buffer("end", 3), asio::use_awaitable);
  }

  ssl::context tls_;
  asio::ip::tcp::acceptor acceptor_;
};

std::string answer(std::string_view body, std::string_view headers = {}) {
  return fmt::format(
      "HTTP/1.1 200 OK\r\n{}Content-Length: {}\r\n\r\n{}", headers, body.size(), body);
}

const std::string k_ping = answer("OK", "Api-Version: 1.41\r\n");

class Tls : public ::testing::Test {
 protected:
  Endpoint trusted(const TlsServer& server) const {
    Endpoint endpoint = server.endpoint();
    endpoint.ca_file = certificate.file();
    return endpoint;
  }

  std::string info_failure(const Endpoint& endpoint) {
    DockerClient client(io.get_executor(), endpoint);
    return failure_of([&] { run(io, client.info(Ctx())); });
  }

  const Certificate certificate;
  asio::io_context io;
};

TEST_F(Tls, carries_requests_and_large_answers_over_one_connection) {
  TlsServer server(io, certificate, true);
  const std::string name(1'000'000, 'x');
  server.answer({k_ping, answer("{\"Name\":\"" + name + "\"}"), answer("{\"Name\":\"box\"}")});
  Endpoint endpoint = trusted(server);
  endpoint.certificate_file = certificate.file();
  endpoint.key_file = certificate.key();
  DockerClient client(io.get_executor(), endpoint);
  EXPECT_EQ(run(io, client.info(Ctx())).name, name);
  EXPECT_EQ(run(io, client.info(Ctx())).name, "box");
}

TEST_F(Tls, a_certificate_that_nobody_vouches_for_is_refused_unless_told_otherwise) {
  TlsServer server(io, certificate, false);
  server.answer({});
  Endpoint endpoint = server.endpoint();
  EXPECT_EQ(
      info_failure(endpoint),
      "upstream_denied: no TLS connection to the Docker engine at " + endpoint.to_string() +
          " | said: certificate verify failed (SSL routines) | hint: check the engine's "
          "certificate, and ours in "
          "DOCKER_CERT_PATH or in the docker context");
  server.answer({k_ping, answer("{}")});
  endpoint.skip_verify = true;
  EXPECT_EQ(info_failure(endpoint), "no failure");
}

TEST_F(Tls, a_certificate_for_another_host_is_refused) {
  TlsServer server(io, certificate, false);
  server.answer({});
  Endpoint endpoint = trusted(server);
  endpoint.host = "localhost";
  EXPECT_EQ(
      info_failure(endpoint),
      "upstream_denied: no TLS connection to the Docker engine at " + endpoint.to_string() +
          " | said: certificate verify failed (SSL routines) | hint: check the engine's "
          "certificate, and ours in "
          "DOCKER_CERT_PATH or in the docker context");
}

TEST_F(Tls, an_engine_that_wants_our_certificate_is_quoted) {
  TlsServer server(io, certificate, true);
  server.answer({});
  const Endpoint endpoint = trusted(server);
  EXPECT_EQ(
      info_failure(endpoint),
      "upstream_denied: the Docker engine at " + endpoint.to_string() +
          " wants a client certificate, and there is none | said: tlsv13 alert certificate "
          "required (SSL routines) | hint: put cert.pem and key.pem into the directory of "
          "DOCKER_CERT_PATH or into the docker context");
}

TEST_F(Tls, the_executor_has_nothing_to_wait_for_once_idle_connections_are_closed) {
  TlsServer server(io, certificate, false);
  server.answer({k_ping, answer("{}")});
  DockerClient client(io.get_executor(), trusted(server));
  run(io, client.info(Ctx()));
  client.close_idle_connections();
  io.restart();
  io.run_for(std::chrono::seconds(10));
  EXPECT_TRUE(io.stopped());
}

TEST_F(Tls, unusable_files_are_named) {
  Endpoint endpoint;
  TlsServer server(io, certificate, false);
  endpoint = server.endpoint();
  endpoint.ca_file = certificate.directory / "none.pem";
  EXPECT_EQ(
      info_failure(endpoint),
      "invalid_input: cannot use '" + endpoint.ca_file.string() +
          "' to speak TLS with the Docker engine: No such file or directory");
}

TEST_F(Tls, an_upgraded_connection_is_a_plain_descriptor_with_every_byte) {
  TlsServer server(io, certificate, false);
  server.answer(
      {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nSETTINGS"});
  auto client = std::make_unique<DockerClient>(io.get_executor(), trusted(server));
  const std::optional<UniqueFd> fd = run(io, client->upgrade_to_h2c(Ctx(), "/grpc"));
  ASSERT_TRUE(fd);
  ASSERT_EQ(::send(fd->get(), "END", 3, 0), 3);
  std::array<char, 64> bytes{};
  std::string received;
  while (received.size() < 11) {
    io.run_one();
    const ssize_t count = ::recv(fd->get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    received.append(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  EXPECT_EQ(received, "SETTINGSend");

  // The client's end ends what it gave away: there is no other way to break such a connection.
  client.reset();
  while (::recv(fd->get(), bytes.data(), bytes.size(), MSG_DONTWAIT) != 0) {
    io.run_one();
  }
}

}  // namespace
}  // namespace freshet::engine
