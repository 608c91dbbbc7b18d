// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/masker.hpp"

#include "freshet/base/text.hpp"

#include <gtest/gtest.h>

namespace freshet {
namespace {

std::string masked(const std::vector<std::string>& secrets, std::string_view text) {
  Masker masker;
  for (const std::string& secret : secrets) {
    masker.add(Secret(secret));
  }
  return masker.mask(text);
}

TEST(Masker, hides_a_secret_wherever_it_stands) {
  EXPECT_EQ(masked({"s3cret"}, "s3cret a s3cret"), "***** a *****");
  EXPECT_EQ(masked({"s3cret"}, "://u:s3cret@host"), "://u:*****@host");
  EXPECT_EQ(masked({"s3cret"}, "S3CRET s3cre"), "S3CRET s3cre");
  EXPECT_EQ(masked({}, "s3cret"), "s3cret");
  EXPECT_EQ(masked({"s3cret"}, ""), "");
}

TEST(Masker, leaves_short_values_alone) {
  EXPECT_EQ(masked({"ab", "1", ""}, "ab 1"), "ab 1");
  EXPECT_EQ(masked({"abc"}, "abc"), "*****");
}

TEST(Masker, hides_each_line_of_a_secret) {
  const std::string key = "-----BEGIN-----\r\n  b64line1\nx\nb64line2\n";
  EXPECT_EQ(masked({key}, "a b64line1 b"), "a ***** b");
  EXPECT_EQ(masked({key}, "b64line2"), "*****");
  EXPECT_EQ(masked({key}, "-----BEGIN-----"), "*****");
  EXPECT_EQ(masked({key}, "x"), "x");
}

TEST(Masker, hides_a_secret_in_base64_at_every_alignment) {
  const std::string secret = "correct horse battery";
  for (std::size_t before = 0; before < 6; ++before) {
    for (std::size_t after = 0; after < 4; ++after) {
      const std::string whole = std::string(before, 'u') + secret + std::string(after, 'z');
      const std::string out = masked({secret}, to_base64(whole));
      EXPECT_NE(out.find("*****"), std::string::npos) << before << " " << after;
      // What is left belongs to the neighbours and to the characters shared with them.
      EXPECT_LE(out.size(), to_base64(std::string(before + 1, 'u')).size() + 5 + 8);
      for (std::size_t i = 0; i + 8 < out.size(); ++i) {
        EXPECT_EQ(from_base64(out.substr(i, 8)).value_or("").find("horse"), std::string::npos);
      }
    }
  }
}

TEST(Masker, hides_base64_of_the_url_alphabet) {
  const std::string secret = "\xfb\xff\xbf\xfb\xff\xbf";
  EXPECT_EQ(to_base64_url(secret), "-_-_-_-_");
  EXPECT_EQ(masked({secret}, "x -_-_-_-_ y"), "x ***** y");
  EXPECT_EQ(masked({secret}, "x +/+/+/+/ y"), "x ***** y");
}

TEST(Masker, leaves_no_part_of_a_secret_that_contains_or_overlaps_another) {
  EXPECT_EQ(masked({"abc", "abcdef"}, "abcdef abc"), "***** *****");
  EXPECT_EQ(masked({"abcd", "cdef"}, "xabcdefx"), "x*****x");
  EXPECT_EQ(masked({"aaa"}, "aaaa"), "*****");
}

TEST(Masker, hides_the_part_of_a_secret_that_a_piece_of_a_line_has) {
  Masker masker;
  masker.add("s3cret");
  masker.add("retry");
  const std::string_view line = "a s3cretry b";
  for (std::size_t cut = 3; cut < 10; ++cut) {
    EXPECT_EQ(masker.mask(line, 0, cut), "a *****") << cut;
    EXPECT_EQ(masker.mask(line, cut, line.size()), "***** b") << cut;
  }
  EXPECT_EQ(masker.mask(line, 0, 2), "a ");
  EXPECT_EQ(masker.mask(line, 10, 12), " b");
  EXPECT_EQ(masker.mask(line, 4, 6), "*****");
  EXPECT_EQ(masker.mask(line, 4, 4), "");
}

TEST(Masker, knows_how_much_of_a_line_it_has_to_see_around_a_piece) {
  Masker masker;
  EXPECT_EQ(masker.margin(), 0u);
  masker.add("abc");
  EXPECT_EQ(masker.margin(), 2u);
  masker.add("0123456789 and its base64 form, which is longer by a third");
  EXPECT_GE(masker.margin(), 57u);
  EXPECT_LE(masker.margin(), 78u);
}

TEST(Masker, takes_asterisks_for_a_secret_like_any_other) {
  EXPECT_EQ(masked({"****", "abc"}, "abc ****"), "***** *****");
}

}  // namespace
}  // namespace freshet
