// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
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

TEST(LineSplitter, shows_each_piece_of_a_long_line_with_its_surroundings) {
  constexpr std::size_t k_max = LineSplitter::k_max_line_bytes;
  constexpr std::size_t k_margin = 4;
  std::string line;
  for (std::size_t i = 0; line.size() < 3 * k_max + 2; ++i) {
    line += std::to_string(i) + ' ';
  }
  std::size_t at = 0;
  std::size_t pieces = 0;
  LineSplitter splitter(
      [&](const LinePiece& piece) {
        const std::size_t begin = at - std::min(at, k_margin);
        const std::size_t end = std::min(line.size(), at + piece.text().size() + k_margin);
        EXPECT_EQ(piece.text(), line.substr(at, k_max));
        EXPECT_GE(piece.begin, at - begin);
        EXPECT_EQ(
            piece.surroundings.substr(piece.begin - (at - begin), end - begin),
            line.substr(begin, end - begin));
        EXPECT_LE(piece.surroundings.size(), k_max + 2 * k_margin + 1000);
        at += piece.text().size();
        ++pieces;
      },
      [] { return k_margin; });
  for (std::size_t i = 0; i < line.size(); i += 1000) {
    splitter.feed(line.substr(i, 1000));
  }
  splitter.feed("\n");
  EXPECT_EQ(at, line.size());
  EXPECT_EQ(pieces, 4u);
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
