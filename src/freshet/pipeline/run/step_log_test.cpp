// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/step_log.hpp"

#include "freshet/base/ids.hpp"
#include "freshet/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace freshet::pipeline {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t k_max = LineSplitter::k_max_line_bytes;

class Recorder final : public RunObserver {
 public:
  void on_build_started(const model::BuildRecord&, const std::vector<StepInfo>&) override {}
  void on_step_started(const StepInfo&) override {}
  void on_line(const StepInfo&, int, std::string_view line) override { lines.emplace_back(line); }
  void on_vertex(const StepInfo&, const VertexEvent&) override {}
  void on_vertex_status(const StepInfo&, int, std::string_view) override {}
  void on_image(const StepInfo&, const model::ImageRecord&) override {}
  void on_step_finished(
      const StepInfo&, model::StepResult, std::chrono::milliseconds, const Error*) override {}
  void on_build_finished(
      const model::BuildRecord&, std::chrono::milliseconds, std::string_view) override {}

  std::vector<std::string> lines;
};

class StepLogFile : public ::testing::Test {
 protected:
  StepLogFile() : directory_(fs::temp_directory_path() / ("step-log-test-" + make_id())) {
    make_private_directory(directory_);
  }
  ~StepLogFile() override { remove_tree(directory_); }

  /// What the observer is told of a stream that arrives in chunks of `chunk_size` bytes.
  std::vector<std::string> shown(int source, std::string_view output, std::size_t chunk_size) {
    Recorder recorder;
    fs::remove(file());
    StepLog log(StepInfo{"build", "build", "build"}, file(), masker_, recorder);
    for (; !output.empty(); output.remove_prefix(std::min(chunk_size, output.size()))) {
      log.feed(source, output.substr(0, chunk_size));
    }
    log.finish();
    return recorder.lines;
  }

  fs::path file() const { return directory_ / "build.log"; }

  fs::path directory_;
  Masker masker_;
};

TEST_F(StepLogFile, keeps_what_the_observer_is_told_with_the_number_of_the_vertex) {
  masker_.add("s3cret");
  EXPECT_THAT(shown(-1, "a s3cret\nb", 3), ElementsAre("a *****", "b"));
  EXPECT_EQ(load_file(file(), k_max), "a *****\nb\n");
  EXPECT_THAT(shown(7, "a s3cret\nb", 3), ElementsAre("a *****", "b"));
  EXPECT_EQ(load_file(file(), k_max), "#7 a *****\n#7 b\n");
}

TEST_F(StepLogFile, shows_no_part_of_a_secret_that_stands_where_a_long_line_is_cut) {
  const std::string secret = "correct-horse";
  masker_.add(secret);
  for (std::size_t before = 0; before <= secret.size(); ++before) {
    const std::string line =
        std::string(k_max - before, 'x') + secret + std::string(k_max, 'y') + "\n";
    const std::string left = std::string(k_max - before, 'x') + (before > 0 ? "*****" : "");
    const std::string right = before < secret.size() ? "*****" : "";
    const std::size_t ys_in_middle = k_max - (secret.size() - before);
    const std::string rest(k_max - ys_in_middle, 'y');
    std::vector<std::string> expected{left, right + std::string(ys_in_middle, 'y')};
    if (!rest.empty()) {
      expected.push_back(rest);
    }
    for (const std::size_t chunk_size : {std::size_t(4096), std::size_t(999), line.size()}) {
      EXPECT_EQ(shown(-1, line, chunk_size), expected) << before << " bytes before the cut";
    }
  }
}

TEST_F(StepLogFile, shows_no_part_of_a_secret_that_is_longer_than_a_piece) {
  const std::string secret = [] {
    std::string text;
    for (int i = 0; text.size() < 3 * k_max; ++i) {
      text += std::to_string(i) + ' ';
    }
    return std::string(trim(text));
  }();
  masker_.add(secret);
  const std::vector<std::string> lines = shown(-1, "a " + secret + " b\nc", 16384);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_THAT(lines, ElementsAre("a *****", "*****", "*****", "***** b", "c"));
}

TEST_F(StepLogFile, shows_no_part_of_base64_that_stands_where_a_long_line_is_cut) {
  const std::string secret = "correct horse battery";
  masker_.add(secret);
  const std::string encoded = to_base64("ab" + secret + "cd");
  for (std::size_t before = 0; before <= encoded.size(); ++before) {
    const std::string line = std::string(k_max - before, '.') + encoded + ".";
    std::string together;
    for (const std::string& piece : shown(-1, line, 1000)) {
      together += piece;
    }
    for (std::size_t i = 4; i + 8 <= encoded.size(); ++i) {
      EXPECT_EQ(together.find(encoded.substr(i, 4)), std::string::npos) << before << " " << i;
    }
  }
}

}  // namespace
}  // namespace freshet::pipeline
