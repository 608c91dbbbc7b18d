// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace freshet {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> lines_of(const std::vector<std::string>& chunks) {
  std::vector<std::string> lines;
  LineSplitter splitter([&](std::string_view line) { lines.emplace_back(line); });
  for (const std::string& chunk : chunks) {
    splitter.feed(chunk);
  }
  splitter.finish();
  return lines;
}

TEST(LineSplitter, joins_what_arrives_in_pieces) {
  EXPECT_THAT(lines_of({"a", "b\nc", "\n", "\nd"}), ElementsAre("ab", "c", "", "d"));
  EXPECT_THAT(lines_of({""}), ElementsAre());
  EXPECT_THAT(lines_of({"a\n"}), ElementsAre("a"));
}

TEST(LineSplitter, takes_both_line_breaks) {
  EXPECT_THAT(lines_of({"a\r\nb\n\r\nc\r"}), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(lines_of({"a\r", "\nb"}), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of({"10%\r20%\n"}), ElementsAre("10%\r20%"));
}

TEST(LineSplitter, hands_on_a_long_line_in_pieces) {
  constexpr std::size_t k_max = LineSplitter::k_max_line_bytes;
  const std::string line(2 * k_max + 5, 'x');
  const std::vector<std::string> expected{
      std::string(k_max, 'x'), std::string(k_max, 'x'), "xxxxx", "next"};
  EXPECT_EQ(lines_of({line + "\nnext"}), expected) << "at once";
  std::vector<std::string> chunks;
  for (std::size_t i = 0; i < line.size(); i += 1000) {
    chunks.push_back(line.substr(i, 1000));
  }
  chunks.push_back("\nnext");
  EXPECT_EQ(lines_of(chunks), expected) << "bit by bit";
}

TEST(LineSplitter, makes_no_empty_line_of_the_break_after_a_full_piece) {
  constexpr std::size_t k_max = LineSplitter::k_max_line_bytes;
  const std::string piece(k_max, 'x');
  EXPECT_THAT(lines_of({piece + "\n\na"}), ElementsAre(piece, "", "a"));
  EXPECT_THAT(lines_of({piece + "\r\n\r\na"}), ElementsAre(piece, "", "a"));
  EXPECT_THAT(lines_of({piece + piece, "\na"}), ElementsAre(piece, piece, "a"));
}

TEST(LineSplitter, may_be_fed_again_after_its_end) {
  std::vector<std::string> lines;
  LineSplitter splitter([&](std::string_view line) { lines.emplace_back(line); });
  splitter.feed("a");
  splitter.finish();
  splitter.finish();
  splitter.feed("b\n");
  EXPECT_THAT(lines, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace freshet
