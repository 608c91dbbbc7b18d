// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/sealing.hpp"

#include "freshet/base/text.hpp"
#include "freshet/store/testing/contract.hpp"

#include <gtest/gtest.h>

namespace freshet::store {
namespace {

using testing::error_of;

constexpr SealedFor k_owner{.purpose = "registry-password", .row_id = "row-1"};
constexpr std::string_view k_damaged =
    "corrupt_data\n"
    "error: the stored secret is damaged or was sealed for another record\n"
    "hint: enter the password of this integration again\n";

Sealer sealer_with(char fill) {
  return Sealer(Secret(std::string(Sealer::k_key_bytes, fill)));
}

TEST(Sealer, gives_back_what_it_sealed) {
  const Sealer sealer = sealer_with('k');
  for (const std::string& plain :
       {std::string("s3cret"), std::string(), std::string("a\0b:c", 5), std::string(9000, 'x')}) {
    EXPECT_EQ(sealer.unseal(sealer.seal(Secret(plain), k_owner), k_owner).reveal(), plain);
  }
}

TEST(Sealer, never_seals_the_same_text_alike) {
  const Sealer sealer = sealer_with('k');
  EXPECT_NE(sealer.seal(Secret("s3cret"), k_owner), sealer.seal(Secret("s3cret"), k_owner));
}

TEST(Sealer, shows_version_and_key_id_but_not_the_secret) {
  const std::string sealed = sealer_with('k').seal(Secret("s3cret"), k_owner);
  const auto parts = split(sealed, ':');
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0], "v1");
  EXPECT_EQ(parts[1].size(), 16u);
  EXPECT_EQ(from_base64(parts[2]).value().find("s3cret"), std::string::npos);
}

TEST(Sealer, opens_nothing_for_another_row) {
  const Sealer sealer = sealer_with('k');
  const std::string sealed = sealer.seal(Secret("s3cret"), k_owner);
  EXPECT_EQ(
      error_of([&] { sealer.unseal(sealed, {.purpose = k_owner.purpose, .row_id = "row-2"}); }),
      k_damaged);
}

TEST(Sealer, opens_nothing_for_another_purpose) {
  const Sealer sealer = sealer_with('k');
  const std::string sealed = sealer.seal(Secret("s3cret"), k_owner);
  EXPECT_EQ(
      error_of([&] { sealer.unseal(sealed, {.purpose = "webhook", .row_id = k_owner.row_id}); }),
      k_damaged);
}

TEST(Sealer, does_not_confuse_where_purpose_and_row_meet) {
  const Sealer sealer = sealer_with('k');
  const std::string sealed = sealer.seal(Secret("s3cret"), {.purpose = "ab", .row_id = "c"});
  EXPECT_EQ(error_of([&] { sealer.unseal(sealed, {.purpose = "a", .row_id = "bc"}); }), k_damaged);
}

TEST(Sealer, tells_another_key_from_damage) {
  const std::string sealed = sealer_with('k').seal(Secret("s3cret"), k_owner);
  const std::string sealed_by = split(sealed, ':').at(1);
  const Sealer other = sealer_with('o');
  const std::string held = split(other.seal(Secret("x"), k_owner), ':').at(1);
  EXPECT_EQ(
      error_of([&] { other.unseal(sealed, k_owner); }),
      "corrupt_data\n"
      "error: the stored secret was sealed with key '" +
          sealed_by + "', the key file holds '" + held +
          "'\n"
          "hint: put back the file 'key' that belongs to this database, or enter the password of "
          "this "
          "integration again\n");
}

TEST(Sealer, refuses_a_text_with_any_byte_changed) {
  const Sealer sealer = sealer_with('k');
  const auto parts = split(sealer.seal(Secret("s3cret"), k_owner), ':');
  const std::string bytes = from_base64(parts[2]).value();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const std::string sealed = parts[0] + ":" + parts[1] + ":" + to_base64(changed);
    EXPECT_EQ(error_of([&] { sealer.unseal(sealed, k_owner); }), k_damaged) << "byte " << i;
  }
}

TEST(Sealer, refuses_what_is_no_sealed_text) {
  const Sealer sealer = sealer_with('k');
  const auto parts = split(sealer.seal(Secret("s3cret"), k_owner), ':');
  for (const std::string& text :
       {std::string(),
        std::string("s3cret"),
        "v1:" + parts[1] + ":!!",
        "v1:" + parts[1] + ":AAAA"}) {
    EXPECT_EQ(error_of([&] { sealer.unseal(text, k_owner); }), k_damaged) << text;
  }
}

TEST(Sealer, names_a_form_that_it_does_not_know) {
  EXPECT_EQ(
      error_of([&] { sealer_with('k').unseal("v9:00:AAAA", k_owner); }),
      "unsupported\n"
      "error: the stored secret has the form 'v9', which this freshet does not know\n"
      "hint: update freshet\n");
}

}  // namespace
}  // namespace freshet::store
