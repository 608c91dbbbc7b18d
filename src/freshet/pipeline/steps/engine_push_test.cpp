// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/engine_push.hpp"

#include "freshet/base/testing/run.hpp"

#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using freshet::testing::error_of;

TEST(EnginePush, is_not_tried_where_the_engine_cannot_reach_the_registry_as_it_is_connected) {
  Destination destination;
  EXPECT_EQ(error_of([&] { require_engine_reach(destination); }), "no error");
  destination.integration = model::RegistryIntegration();
  destination.integration->name = "prod";
  EXPECT_EQ(error_of([&] { require_engine_reach(destination); }), "no error");
  destination.integration->connection.proxy = "http://proxy:1";
  EXPECT_EQ(
      error_of([&] { require_engine_reach(destination); }),
      "unsupported\n"
      "error: the image cannot be read from here, and the engine, which cannot be told the proxy "
      "of "
      "registry 'prod', cannot push it\n"
      "hint: let Freshet read the engine's images: run it on the engine's machine\n");
}

}  // namespace
}  // namespace freshet::pipeline
