// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/registry_errors.hpp"

#include "freshet/base/text.hpp"
#include "freshet/engine/docker/registry_auth.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace freshet::engine {
namespace {

const Transfer k_push{Transfer::Direction::push, "r.example/app:v1", true};
const Transfer k_push_without_credentials{Transfer::Direction::push, "r.example/app:v1", false};
const Transfer k_pull{Transfer::Direction::pull, "r.example/app:v1", false};

std::string told(const Transfer& transfer, std::string_view text) {
  const Error error = transfer_error(transfer, text);
  EXPECT_EQ(error.remote_text(), printable(text, 4096));
  return std::string(to_string(error.code())) + ": " + error.message() +
         (error.hint().empty() ? "" : " | " + error.hint());
}

TEST(TransferError, understands_what_registries_and_engines_say_about_a_push) {
  struct Case {
    std::string text;
    std::string expected;
  };
  const std::string refused =
      "upstream_denied: r.example refused the credentials for 'r.example/app:v1'";
  const std::string denied = "upstream_denied: r.example denied the push of 'r.example/app:v1'";
  const std::string not_stored =
      "unavailable: r.example could not store 'r.example/app:v1' | its disk may be full: the "
      "registry's own "
      "log tells";
  const std::string unreachable = "unavailable: the Docker engine does not reach r.example";
  const std::string limited = "rate_limited: r.example limits how often it is asked";
  const std::vector<Case> cases{
      {"unauthorized: authentication required", refused},
      {"no basic auth credentials", refused},
      {"errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication "
       "required\n",
       refused},
      {"denied: Your authorization token has expired. Reauthenticate and try again.", refused},
      {"denied: requested access to the resource is denied", denied},
      {"insufficient_scope: authorization failed", denied},
      {"received unexpected HTTP status: 500 Internal Server Error", not_stored},
      {"received unexpected HTTP status: 507 Insufficient Storage", not_stored},
      {"unknown: write /data/x: no space left on device", not_stored},
      {"received unexpected HTTP status: 503 Service Unavailable",
       "unavailable: r.example is out of order"},
      {"error parsing HTTP 413 response body: invalid character '<'",
       "too_large: r.example takes no layer as large as one of 'r.example/app:v1' | a proxy before "
       "the "
       "registry may limit the size of requests"},
      {"toomanyrequests: You have reached your pull rate limit.", limited},
      {"An image does not exist locally with the tag: r.example/app",
       "not_found: the Docker engine has no image 'r.example/app:v1'"},
      {"name unknown: The repository with name 'app' does not exist in the registry",
       "not_found: r.example has no 'r.example/app:v1'"},
      {"Get \"https://r.example/v2/\": dial tcp 10.0.0.1:443: connect: connection refused",
       unreachable},
      {"Get \"https://r.example/v2/\": dial tcp: lookup r.example: no such host", unreachable},
      {"Get \"https://r.example/v2/\": net/http: TLS handshake timeout", unreachable},
      {"Get \"https://r.example/v2/\": context deadline exceeded", unreachable},
      {"Put \"https://r.example/v2/app/blobs/uploads/1\": EOF", unreachable},
      {"Get \"https://r.example/v2/\": x509: certificate signed by unknown authority",
       "upstream_denied: the Docker engine does not trust the certificate of r.example | give its "
       "CA to the "
       "engine: /etc/docker/certs.d/r.example/ca.crt"},
      {"Get \"https://r.example/v2/\": http: server gave HTTP response to HTTPS client",
       "upstream_denied: r.example speaks plain HTTP, which the Docker engine does not allow | put "
       "\"r.example\" into \"insecure-registries\" of the engine's daemon.json"},
      {"something new", "upstream_denied: the Docker engine could not push 'r.example/app:v1'"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(told(k_push, c.text), c.expected) << c.text;
  }
}

TEST(TransferError, tells_missing_credentials_from_wrong_ones) {
  EXPECT_EQ(
      told(k_push_without_credentials, "no basic auth credentials"),
      "upstream_denied: r.example wants credentials for 'r.example/app:v1', and there are none");
}

TEST(TransferError, understands_what_is_said_about_a_pull) {
  EXPECT_EQ(
      told(k_pull, "manifest for r.example/app:v1 not found: manifest unknown: manifest unknown"),
      "not_found: r.example has no 'r.example/app:v1'");
  EXPECT_EQ(
      told(k_pull, "write /var/lib/docker/tmp/x: no space left on device"),
      "unavailable: the Docker engine has no room for 'r.example/app:v1' | 'docker system df' "
      "shows what "
      "takes the room");
  EXPECT_EQ(
      told(k_pull, "received unexpected HTTP status: 500 Internal Server Error"),
      "unavailable: r.example is out of order");
  const Transfer from_hub{Transfer::Direction::pull, "team/app:v1", false};
  EXPECT_EQ(
      told(from_hub, "pull access denied for team/app, repository does not exist"),
      "upstream_denied: docker.io denied the pull of 'team/app:v1'");
}

TEST(RegistryAuth, is_json_in_base64_for_urls) {
  RegistryAuth auth{"r.example", "ro\"bot", Secret("p\\w\n?>~")};
  const Secret header = to_registry_auth_header(auth);
  EXPECT_EQ(header.reveal().find_first_of("+/\r\n"), std::string_view::npos);
  EXPECT_EQ(
      from_base64(header.reveal()),
      R"({"username":"ro\"bot","password":"p\\w\n?>~","serveraddress":"r.example"})");
  EXPECT_EQ(to_registry_auth_header(std::nullopt).reveal(), "e30=");
}

}  // namespace
}  // namespace freshet::engine
