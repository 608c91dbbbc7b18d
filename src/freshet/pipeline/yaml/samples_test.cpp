// SPDX-License-Identifier: Apache-2.0
// Whole pipeline files with what is to be said about each: tests/corpus/pipelines/NAME.yml beside
// NAME.txt, which holds the rendered findings (empty when there are none).
// FRESHET_UPDATE_SAMPLES=1 writes the .txt files anew.
#include "freshet/base/files.hpp"
#include "freshet/pipeline/yaml/pipeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

namespace freshet::pipeline {
namespace {

constexpr std::size_t k_max_sample_bytes = 1 << 20;

std::vector<fs::path> samples() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(FRESHET_PIPELINE_SAMPLES)) {
    if (entry.path().extension() == ".yml") {
      out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Samples, each_file_gets_exactly_its_findings) {
  ASSERT_GE(samples().size(), 12u);
  for (const fs::path& path : samples()) {
    const std::string text = load_file(path, k_max_sample_bytes);
    const ParsedPipeline parsed = parse_pipeline(text, path.filename());
    const std::string said = render(parsed.diagnostics, text);
    fs::path expected = path;
    expected.replace_extension(".txt");
    if (std::getenv("FRESHET_UPDATE_SAMPLES") != nullptr) {
      std::ofstream(expected) << said;
    }
    EXPECT_EQ(said, load_file(expected, k_max_sample_bytes)) << path;
    EXPECT_NE(parsed.pipeline.has_value(), parsed.diagnostics.has_errors()) << path;
  }
}

/// One random change of the kinds that break YAML: a line moved, repeated or cut, a stray
/// character.
std::string mutate(std::string text, std::mt19937& random) {
  constexpr std::string_view k_stray = ":{}[]&*!|>'\"%@`#-?, \t\n\\~\xC3";
  const auto below = [&](std::size_t limit) { return random() % std::max<std::size_t>(limit, 1); };
  const std::size_t at = below(text.size());
  switch (random() % 4) {
    case 0:
      return text.erase(at, 1 + below(20));
    case 1:
      return text.insert(at, 1, k_stray[below(k_stray.size())]);
    case 2:
      return text.insert(at, text.substr(below(text.size()), below(60)));
    default:
      return text.substr(0, at);
  }
}

TEST(Samples, broken_ones_end_in_a_pipeline_or_in_findings_with_places) {
  std::mt19937 random(20240607);  // fixed: a failure must come back
  for (const fs::path& path : samples()) {
    const std::string original = load_file(path, k_max_sample_bytes);
    for (int round = 0; round < 150; ++round) {
      std::string text = mutate(original, random);
      text = mutate(std::move(text), random);
      const ParsedPipeline parsed = parse_pipeline(text, "p.yml");
      ASSERT_NE(parsed.pipeline.has_value(), parsed.diagnostics.has_errors()) << text;
      for (const Diagnostic& finding : parsed.diagnostics.sorted()) {
        ASSERT_TRUE(finding.at.is_known() && finding.at.column > 0) << text << finding.message;
        ASSERT_FALSE(finding.message.empty()) << text;
      }
    }
  }
}

}  // namespace
}  // namespace freshet::pipeline
