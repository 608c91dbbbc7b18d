// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/engine_reach.hpp"

#include <gtest/gtest.h>

namespace freshet::registries {
namespace {

model::RegistryIntegration integration() {
  model::RegistryIntegration out;
  out.name = "x";
  out.domain = "r.example";
  return out;
}

TEST(EngineReach, an_ordinary_registry_is_within_it) {
  EXPECT_EQ(why_beyond_engine(integration()), "");
  const PullCandidate anonymous{std::nullopt, oci::Reference::parse("r.example/a"), ""};
  EXPECT_EQ(why_beyond_engine(anonymous), "");
}

TEST(EngineReach, settings_that_an_engine_cannot_be_told_are_beyond_it) {
  model::RegistryIntegration one = integration();
  one.connection.ca_certificates = "pem";
  EXPECT_EQ(why_beyond_engine(one), "cannot be told the CA certificates of registry 'x'");
  one.connection.proxy = "http://proxy:1";
  one.connection.client_certificate = "pem";
  EXPECT_EQ(
      why_beyond_engine(one),
      "cannot be told the CA certificates, proxy, client certificate of registry 'x'");
  model::RegistryIntegration lax = integration();
  lax.connection.is_verification_off = true;
  lax.connection.is_plain_http = true;
  EXPECT_EQ(
      why_beyond_engine(lax),
      "cannot be told the permission to skip TLS verification, permission to use plain http of "
      "registry 'x'");
}

TEST(EngineReach, of_a_mirror_ends_only_where_the_settings_that_hold_there_say_so) {
  model::RegistryIntegration one = integration();
  one.connection.client_certificate = "pem";
  one.connection.is_plain_http = true;
  one.connection.is_verification_off = true;
  const PullCandidate at_mirror{one, oci::Reference::parse("mirror.example/a"), "", true};
  EXPECT_EQ(why_beyond_engine(at_mirror), "");
  one.connection.proxy = "http://proxy:1";
  const PullCandidate by_proxy{one, oci::Reference::parse("mirror.example/a"), "", true};
  EXPECT_EQ(why_beyond_engine(by_proxy), "cannot be told the proxy of registry 'x'");
}

}  // namespace
}  // namespace freshet::registries
