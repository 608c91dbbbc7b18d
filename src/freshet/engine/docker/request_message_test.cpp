// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/request_message.hpp"

#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

const std::string k_agent = "User-Agent: freshet/" FRESHET_VERSION "\r\n";

Endpoint at_socket() {
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::unix_socket;
  return endpoint;
}

std::string message(const EngineRequest& request) {
  return std::string(make_message(request, *ApiVersion::parse("1.41"), at_socket()).reveal());
}

TEST(RequestMessage, asks_below_the_version_that_was_agreed_on) {
  EngineRequest request;
  request.path = "/images/json?all=1";
  EXPECT_EQ(
      message(request),
      "GET /v1.41/images/json?all=1 HTTP/1.1\r\nHost: localhost\r\n" + k_agent + "\r\n");
  request.is_versioned = false;
  request.path = "/_ping";
  EXPECT_EQ(message(request), "GET /_ping HTTP/1.1\r\nHost: localhost\r\n" + k_agent + "\r\n");
}

TEST(RequestMessage, carries_a_body_with_its_type_and_length) {
  EngineRequest request;
  request.method = "POST";
  request.path = "/volumes/create";
  request.body = "{}";
  EXPECT_EQ(
      message(request),
      "POST /v1.41/volumes/create HTTP/1.1\r\nHost: localhost\r\n" + k_agent +
          "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(RequestMessage, carries_credentials_in_their_header) {
  EngineRequest request;
  request.method = "POST";
  request.path = "/images/create";
  request.registry_auth = Secret("e30=");
  EXPECT_EQ(
      message(request),
      "POST /v1.41/images/create HTTP/1.1\r\nHost: localhost\r\n" + k_agent +
          "X-Registry-Auth: e30=\r\nContent-Length: 0\r\n\r\n");
}

TEST(RequestMessage, asks_to_change_the_protocol_without_a_length) {
  EngineRequest request;
  request.method = "POST";
  request.path = "/session";
  request.upgrade = "h2c";
  EXPECT_EQ(
      message(request),
      "POST /v1.41/session HTTP/1.1\r\nHost: localhost\r\n" + k_agent +
          "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
}

TEST(RequestMessage, names_the_engine_s_host_when_it_listens_on_tcp) {
  EndpointSources sources;
  sources.option = "tcp://127.0.0.1:2375";
  sources.environment = [](std::string_view) { return std::nullopt; };
  EngineRequest request;
  request.path = "/info";
  const Secret sent = make_message(request, *ApiVersion::parse("1.41"), find_endpoint(sources));
  EXPECT_NE(sent.reveal().find("\r\nHost: 127.0.0.1:2375\r\n"), std::string::npos);
}

}  // namespace
}  // namespace freshet::engine
