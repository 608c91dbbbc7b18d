// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/xml_text.hpp"

#include <gtest/gtest.h>

namespace freshet::registries::aws {
namespace {

TEST(XmlText, is_found_by_the_names_around_it) {
  constexpr std::string_view k_xml =
      "<?xml version=\"1.0\"?>\n<!-- <A>no</A> -->"
      "<R xmlns=\"urn:x\"><A>first</A><B/><C><ns:A id='1'> a &amp;&lt;b&gt; </ns:A></C></R>";
  EXPECT_EQ(find_xml_text(k_xml, {"A"}), "first");
  EXPECT_EQ(find_xml_text(k_xml, {"C", "A"}), "a &<b>");
  EXPECT_EQ(find_xml_text(k_xml, {"R", "C", "A"}), "a &<b>");
  EXPECT_EQ(find_xml_text(k_xml, {"B", "A"}), std::nullopt);
  EXPECT_EQ(find_xml_text(k_xml, {"D"}), std::nullopt);
}

TEST(XmlText, of_documents_that_define_something_or_are_malformed_is_not_read) {
  for (const std::string_view xml :
       {"",
        "<",
        "<A",
        "<A>x</B><C>y</C>",
        "</A>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><C>&x;</C>",
        "<!-- <C>x</C>",
        "<C>&unknown;</C>",
        "no xml at all"}) {
    EXPECT_EQ(find_xml_text(xml, {"C"}), std::nullopt) << xml;
  }
}

TEST(XmlText, below_too_many_levels_is_not_read) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) {
    deep += "<a>";
  }
  EXPECT_EQ(find_xml_text(deep + "<C>x</C>", {"C"}), std::nullopt);
}

}  // namespace
}  // namespace freshet::registries::aws
