// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/mount_refusals.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;

TEST(MountRefusals, are_counted_in_a_row_for_each_registry) {
  MountRefusals refusals;
  refusals.add("one.example");
  refusals.add("one.example");
  refusals.add("two.example");
  EXPECT_EQ(refusals.count("one.example"), 2);
  EXPECT_EQ(refusals.count("two.example"), 1);
  refusals.forget("one.example");
  EXPECT_EQ(refusals.count("one.example"), 0);
  EXPECT_EQ(refusals.count("two.example"), 1);
}

TEST(MountRefusals, are_forgotten_some_minutes_after_the_last) {
  MountRefusals::Clock::time_point now{};
  MountRefusals refusals([&now] { return now; });
  refusals.add("one.example");
  now += 4min;
  refusals.add("one.example");
  now += 4min;
  EXPECT_EQ(refusals.count("one.example"), 2);
  now += 1min;
  EXPECT_EQ(refusals.count("one.example"), 0);
  refusals.add("one.example");
  EXPECT_EQ(refusals.count("one.example"), 1);
}

}  // namespace
}  // namespace freshet::oci
