// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/realm.hpp"

#include "freshet/base/error.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

/// Empty when the realm is trusted, else the message.
std::string refusal(std::string_view registry, std::string_view realm) {
  try {
    require_trusted_realm(*net::parse_url(registry), realm);
    return {};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
    return error.message();
  }
}

TEST(Realm, of_the_registry_s_own_house_is_trusted) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"https://registry-1.docker.io/", "https://auth.docker.io/token"},
      {"https://lscr.io/", "https://ghcr.io/token"},
      {"https://quay.io/", "https://quay.io/v2/auth"},
      {"https://ghcr.io/", "https://GHCR.io/token"},
      {"https://registry.gitlab.com/", "https://gitlab.com/jwt/auth"},
      {"https://registry.digitalocean.com/", "https://api.digitalocean.com/v2/registry/auth"},
      {"https://acme.azurecr.io/", "https://acme.azurecr.io/oauth2/token"},
      {"https://r.example.co.uk/", "https://auth.example.co.uk/token"},
      {"https://r.example:5000/", "https://r.example:5001/auth"},
      {"https://r.deep.down.example.com/", "https://auth.example.com/"},
      {"https://10.0.0.5/", "https://10.0.0.5:5001/auth"},
      {"https://127.0.0.1:5000/", "https://127.0.0.1:5001/auth"},
      {"http://127.0.0.1:5000/", "http://127.0.0.1:5001/auth"},
      {"http://localhost:5000/", "http://localhost:5001/auth"},
      {"https://[::1]:5000/", "https://[::1]:5001/auth"},
  };
  for (const auto& [registry, realm] : rows) {
    EXPECT_EQ(refusal(registry, realm), "") << realm;
  }
}

TEST(Realm, of_somebody_else_is_refused) {
  for (const char* realm :
       {"https://attacker.example/token",
        "https://registry.example.com.attacker.example/token",
        "https://attackerexample.com/token",
        "https://example.com.attacker.net/",
        "https://example.net/token",
        "https://xn--auth.example.com/token",
        "https://auth.example.com./token"}) {
    EXPECT_NE(refusal("https://registry.example.com/", realm), "") << realm;
  }
  EXPECT_EQ(
      refusal("https://registry.example.com:5000/", "https://attacker.example/token?x=1"),
      "'registry.example.com:5000' wants its credentials sent to 'attacker.example', which belongs "
      "to somebody else");
}

TEST(Realm, under_a_suffix_that_strangers_share_is_refused) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"https://acme.azurecr.io/", "https://evil.azurecr.io/oauth2/token"},
      {"https://r.co.uk/", "https://evil.co.uk/token"},
      {"https://eu-docker.pkg.dev/", "https://evil.pkg.dev/token"},
      {"https://acme.jfrog.io/", "https://evil.jfrog.io/token"},
      {"https://1.dkr.ecr.eu.amazonaws.com/", "https://evil.s3-website.eu.amazonaws.com/token"},
      {"https://quay.io/", "https://evil.io/token"},
      {"https://registry/", "https://auth/token"},
      {"https://93.184.1.1/", "https://93.184.1.2/token"},
  };
  for (const auto& [registry, realm] : rows) {
    EXPECT_NE(refusal(registry, realm), "") << realm;
  }
}

TEST(Realm, at_an_internal_address_is_refused) {
  for (const char* realm :
       {"https://169.254.169.254/latest",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[fd00:ec2::254]/",
        "https://10.1.2.3/",
        "https://0.0.0.0/",
        "https://2852039166/",
        "https://0251.0376.0251.0376/",
        "https://0xA9FEA9FE/",
        "https://[::ffff:169.254.169.254]/",
        "https://localhost/",
        "https://localhost./",
        "https://auth.localhost/",
        "https://169.254.169.254./",
        "https://127\xE3\x80\x82"
        "0.0.1/"}) {
    EXPECT_NE(refusal("https://registry.example.com/", realm), "") << realm;
  }
  EXPECT_EQ(
      refusal("https://registry.example.com/", "https://2852039166/latest"),
      "'registry.example.com' wants its credentials sent to '169.254.169.254', which is an "
      "internal "
      "address");
  EXPECT_NE(refusal("https://10.0.0.5/", "https://10.0.0.6/"), "");
}

TEST(Realm, that_is_not_encrypted_is_refused) {
  EXPECT_EQ(
      refusal("https://registry.example.com/", "http://registry.example.com/token"),
      "'registry.example.com' wants its credentials sent to 'http://registry.example.com', which "
      "is "
      "not encrypted");
  EXPECT_NE(refusal("http://localhost:5000/", "http://127.0.0.1:5000/token"), "");
  EXPECT_NE(refusal("http://localhost:5000/", "http://auth.example.com/token"), "");
}

TEST(Realm, that_is_no_plain_url_is_refused) {
  for (const char* realm :
       {"",
        "/token",
        "token",
        "file:///etc/passwd",
        "https://",
        "https://registry.example.com@evil/",
        "https://u:p@registry.example.com/",
        "https://registry.example.com\\@evil.example/",
        "https://a_b.example.com/"}) {
    EXPECT_NE(refusal("https://registry.example.com/", realm), "") << realm;
  }
}

TEST(RegistrableDomain, is_what_one_owner_registered) {
  EXPECT_EQ(registrable_domain("a.b.example.com"), "example.com");
  EXPECT_EQ(registrable_domain("example.com"), "example.com");
  EXPECT_EQ(registrable_domain("r.example.co.uk"), "example.co.uk");
  EXPECT_EQ(registrable_domain("co.uk"), "");
  EXPECT_EQ(registrable_domain("com"), "");
  EXPECT_EQ(registrable_domain("acme.azurecr.io"), "");
  EXPECT_EQ(registrable_domain("127.0.0.1"), "");
  EXPECT_EQ(registrable_domain("[::1]"), "");
}

TEST(Realm, that_was_bound_to_is_trusted_and_no_other) {
  const auto refusal_of = [](std::string_view realm) {
    try {
      require_trusted_realm(
          *net::parse_url("https://r.example.com/"), realm, "login.elsewhere.example:8443");
      return std::string();
    } catch (const Error& error) {
      return error.message();
    }
  };
  EXPECT_EQ(refusal_of("https://login.elsewhere.example:8443/token"), "");
  EXPECT_EQ(
      refusal_of("https://auth.example.com/token"),
      "'r.example.com' wants its credentials sent to 'auth.example.com', while its token server is "
      "known to be 'login.elsewhere.example:8443'");
  EXPECT_EQ(
      refusal_of("http://login.elsewhere.example:8443/token"),
      "'r.example.com' wants its credentials sent to 'http://login.elsewhere.example:8443', which "
      "is not encrypted");
}

}  // namespace
}  // namespace freshet::oci
