// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/table.hpp"

#include <gtest/gtest.h>

namespace freshet::cli {
namespace {

Table hosts() {
  Table table({"NAME", "DOMAIN", "ROLES"});
  table.add({"prod", "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "default"});
  table.add({"hub", "docker.io", ""});
  return table;
}

const std::string k_whole =
    "NAME  DOMAIN                                        ROLES\n"
    "prod  123456789012.dkr.ecr.eu-west-1.amazonaws.com  default\n"
    "hub   docker.io                                     \n";

TEST(Table, is_as_wide_as_its_entries) {
  EXPECT_EQ(hosts().text(std::nullopt), k_whole);
  EXPECT_EQ(hosts().text(40), k_whole) << "nothing may give way";
}

TEST(Table, cuts_one_column_in_the_middle_to_fit_into_a_terminal) {
  Table table = hosts();
  table.let_shrink(1);
  EXPECT_EQ(table.text(std::nullopt), k_whole);
  EXPECT_EQ(table.text(59), k_whole);
  EXPECT_EQ(
      table.text(45),
      "NAME  DOMAIN                          ROLES\n"
      "prod  123456789012.dk….amazonaws.com  default\n"
      "hub   docker.io                       \n");
}

TEST(Table, keeps_enough_of_that_column_to_be_recognised) {
  Table table = hosts();
  table.let_shrink(1);
  EXPECT_EQ(
      table.text(10),
      "NAME  DOMAIN                ROLES\n"
      "prod  1234567890…onaws.com  default\n"
      "hub   docker.io             \n");
}

}  // namespace
}  // namespace freshet::cli
