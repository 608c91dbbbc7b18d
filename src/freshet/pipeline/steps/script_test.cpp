// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/script.hpp"

#include "freshet/base/ids.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace freshet::pipeline {
namespace {

/// Runs commands by the machine's own shell as a step's container would.
class ScriptTest : public ::testing::Test {
 protected:
  ScriptTest() : folder_(fs::temp_directory_path() / ("freshet-script-" + make_id())) {
    fs::create_directories(folder_ / "volume");
  }
  ~ScriptTest() override { remove_tree(folder_); }

  int run(const std::vector<std::string>& commands) {
    write_step_files(folder_, commands);
    const std::string line = "cd '" + folder_.string() + "' && CF_VOLUME_PATH='" +
                             folder_.string() + "/volume' PATH=\"$PATH:" + folder_.string() +
                             "\" /bin/sh script > output 2>&1";
    return WEXITSTATUS(std::system(line.c_str()));
  }
  std::string text(const char* name) { return load_file(folder_ / name, 1 << 20); }

  fs::path folder_;
};

TEST_F(ScriptTest, tells_each_command_and_stops_at_the_first_that_fails) {
  EXPECT_EQ(run({"echo one", "sh -c 'exit 7'", "echo never"}), 7);
  EXPECT_EQ(
      text("output"), "Executing command: echo one\none\nExecuting command: sh -c 'exit 7'\n");
}

TEST_F(ScriptTest, keeps_variables_and_directory_from_one_command_to_the_next) {
  EXPECT_EQ(run({"A=1", "cd /", "echo $A $(pwd)"}), 0);
  EXPECT_TRUE(text("output").ends_with("\n1 /\n")) << text("output");
}

TEST_F(ScriptTest, runs_commands_of_several_lines) {
  EXPECT_EQ(
      run({"cat <<EOF\nhere # not a comment\nEOF\n", "if true; then\n  echo yes # a comment\nfi"}),
      0);
  EXPECT_NE(text("output").find("here # not a comment\n"), std::string::npos);
  EXPECT_TRUE(text("output").ends_with("yes\n")) << text("output");
}

TEST_F(ScriptTest, exports_values_as_they_are) {
  EXPECT_EQ(run({"export B=zz", "cf_export A=a=b=c B 'C=two words \"$X\"' D="}), 0);
  EXPECT_EQ(text("volume/env_vars_to_export"), "A=a=b=c\nB=zz\nC=two words \"$X\"\nD=\n");
  EXPECT_FALSE(fs::exists(folder_ / "volume/env_vars_to_mask"));
}

TEST_F(ScriptTest, marks_exports_to_be_masked_wherever_the_flag_stands) {
  EXPECT_EQ(run({"cf_export A=1 --mask B=2"}), 0);
  EXPECT_EQ(text("volume/env_vars_to_mask"), "A\nB\n");
}

TEST_F(ScriptTest, exports_only_the_first_line_of_a_value) {
  EXPECT_EQ(run({"cf_export \"A=one\ntwo\""}), 0);
  EXPECT_EQ(text("volume/env_vars_to_export"), "A=one\n");
}

TEST_F(ScriptTest, refuses_to_export_what_is_no_variable_name) {
  EXPECT_EQ(run({"cf_export 'a;b=1'"}), 1);
  EXPECT_TRUE(text("output").ends_with("cf_export: 'a;b' is not a variable name\n"))
      << text("output");
}

TEST(SplitWords, cuts_as_a_shell_does) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(split_words("  a  b\tc "), (Words{"a", "b", "c"}));
  EXPECT_EQ(split_words("sh -c 'echo \"x y\"'"), (Words{"sh", "-c", "echo \"x y\""}));
  EXPECT_EQ(split_words(R"(a\ b "c\"d" '' 'e\f')"), (Words{"a b", "c\"d", "", "e\\f"}));
  EXPECT_EQ(split_words("x\"y z\"w"), (Words{"xy zw"}));
}

}  // namespace
}  // namespace freshet::pipeline
