// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/remembered_build.hpp"

#include "freshet/base/testing/temp_directory.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

namespace freshet::cache {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view k_dockerfile =
    "FROM alpine AS one\n"
    "ARG TOKEN\n"
    "COPY . /src\n"
    "RUN login hidden\n";

KeyedBuild keyed(std::size_t files, const std::string& name = "file") {
  dockerfile::BuildInputs inputs;
  inputs.arguments["TOKEN"] = "secret value";
  const auto no_config = [](const std::string&, const oci::Platform&) { return std::nullopt; };
  BuildFacts facts;
  facts.images["alpine"] = "sha256:11";
  for (std::size_t i = 0; i < files; ++i) {
    facts.context.push_back({fmt::format("{}{}", name, i), "state", false, ""});
  }
  return make_instruction_keys(
      dockerfile::evaluate(dockerfile::parse(k_dockerfile), inputs, no_config), std::move(facts));
}

std::string mask(const std::string& text) {
  const std::size_t place = text.find("hidden");
  return place == std::string::npos ? text : std::string(text).replace(place, 6, "***");
}

std::string content(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Remembered : public ::testing::Test {
 protected:
  freshet::testing::TempDirectory directory_;
  fs::path file_ = directory_.path() / "built" / "one.json";
};

TEST_F(Remembered, is_read_as_it_was_written) {
  const RememberedBuild build = remember(keyed(2), mask);
  build.save(file_);
  const auto read = RememberedBuild::load(file_);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->instructions.size(), 2U);
  const RememberedInstruction& copy = read->instructions[0];
  EXPECT_EQ(copy.stage, "one");
  EXPECT_EQ(copy.text, "COPY . /src");
  EXPECT_EQ(copy.key, build.instructions[0].key);
  EXPECT_EQ(copy.says, build.instructions[0].says);
  EXPECT_EQ(copy.images, build.instructions[0].images);
  EXPECT_EQ(copy.files, build.instructions[0].files);
  EXPECT_EQ(copy.file_count, 2U);
  EXPECT_EQ(copy.all_files, build.instructions[0].all_files);
  EXPECT_EQ(read->instructions[1].variables, build.instructions[1].variables);
  EXPECT_EQ(read->instructions[1].variable_count, 2U);
  EXPECT_EQ(read->instructions[1].all_variables, build.instructions[1].all_variables);
}

TEST_F(Remembered, holds_no_secret) {
  remember(keyed(2), mask).save(file_);
  EXPECT_THAT(content(file_), HasSubstr("RUN login ***"));
  EXPECT_THAT(content(file_), HasSubstr("TOKEN"));
  EXPECT_THAT(content(file_), Not(HasSubstr("secret value")));
}

TEST_F(Remembered, names_no_more_than_its_limit) {
  constexpr std::size_t k_some = 1000;
  const std::string long_name(RememberedBuild::k_max_name_bytes / k_some - 10, 'n');
  const auto most = remember(keyed(k_some, long_name), mask);
  EXPECT_EQ(most.instructions[0].files.size(), k_some);
  const auto too_many = remember(keyed(k_some * 101 / 100, long_name), mask);
  EXPECT_EQ(too_many.instructions[0].files.size(), 0U);
  EXPECT_EQ(too_many.instructions[0].file_count, k_some * 101 / 100);
  EXPECT_NE(too_many.instructions[0].all_files, most.instructions[0].all_files);
  EXPECT_EQ(too_many.instructions[1].variables.size(), 2U);  // there is room again
}

TEST_F(Remembered, is_nothing_where_no_such_file_is) {
  EXPECT_FALSE(RememberedBuild::load(file_));
  remember(keyed(1), mask).save(file_);
  const std::string whole = content(file_);
  for (const std::string& damaged :
       {std::string(),
        std::string("[]"),
        whole.substr(0, whole.size() / 2),
        std::string(R"({"format":2,"instructions":[]})"),
        std::string(R"({"format":1,"instructions":[{}]})")}) {
    std::ofstream(file_) << damaged;
    EXPECT_FALSE(RememberedBuild::load(file_)) << damaged;
  }
}

TEST_F(Remembered, is_one_of_a_limited_number) {
  const fs::path folder = file_.parent_path();
  fs::create_directories(folder);
  for (std::size_t i = 0; i < RememberedBuild::k_max_builds + 3; ++i) {
    std::ofstream(folder / fmt::format("{}.json", i)) << "{}";
  }
  remember(keyed(1), mask).save(file_);
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    count += entry.path().extension() == ".json" ? 1 : 0;
  }
  EXPECT_EQ(count, RememberedBuild::k_max_builds);
  EXPECT_TRUE(RememberedBuild::load(file_));
}

}  // namespace
}  // namespace freshet::cache
