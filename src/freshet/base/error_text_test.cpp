// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error_text.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <system_error>

namespace freshet {
namespace {

Error full_error() {
  Error error = Error(
                    ErrorCode::upstream_denied,
                    "registry.example refused the credentials of integration 'prod'")
                    .with_remote_text("UNAUTHORIZED: token\n has \x1b[1mexpired", 401)
                    .with_hint("renew its password")
                    .at({.file = "codefresh.yml", .line = 14, .column = 3});
  error.add_frame("pushing registry.example/team/app:v9").add_frame("running step 'push'");
  return error;
}

Error wrapped(const auto& thrown) {
  return to_error(std::make_exception_ptr(thrown));
}

TEST(ErrorText, tells_a_person_everything) {
  EXPECT_EQ(
      to_terminal(full_error()),
      "error: registry.example refused the credentials of integration 'prod'\n"
      "  it said: 'UNAUTHORIZED: token  has [1mexpired' (HTTP 401)\n"
      "  while pushing registry.example/team/app:v9\n"
      "  while running step 'push'\n"
      "  at codefresh.yml:14:3\n"
      "hint: renew its password\n");
}

TEST(ErrorText, leaves_out_what_is_unknown) {
  EXPECT_EQ(to_terminal(Error(ErrorCode::internal, "it broke")), "error: it broke\n");
  EXPECT_EQ(
      to_terminal(Error(ErrorCode::internal, "it broke").with_remote_text("no")),
      "error: it broke\n  it said: 'no'\n");
  EXPECT_EQ(
      to_terminal(Error(ErrorCode::internal, "it broke").with_remote_text("", 503)),
      "error: it broke\n  it answered HTTP 503\n");
}

TEST(ErrorText, tells_a_program_everything) {
  EXPECT_EQ(
      boost::json::serialize(to_json(full_error())),
      R"({"code":"upstream_denied",)"
      R"("message":"registry.example refused the credentials of integration 'prod'",)"
      R"("context":["pushing registry.example/team/app:v9","running step 'push'"],)"
      R"("at":{"file":"codefresh.yml","line":14,"column":3},)"
      R"("hint":"renew its password",)"
      R"("detail":{"remote_text":"UNAUTHORIZED: token  has [1mexpired","http_status":401}})");
}

TEST(ErrorText, shows_absent_values_as_null) {
  EXPECT_EQ(
      boost::json::serialize(to_json(Error(ErrorCode::not_found, "no such thing"))),
      R"({"code":"not_found","message":"no such thing","context":[],)"
      R"("at":null,"hint":null,"detail":null})");
}

TEST(ToError, keeps_an_error_as_it_is) {
  EXPECT_EQ(to_terminal(wrapped(full_error())), to_terminal(full_error()));
  EXPECT_EQ(wrapped(full_error()).code(), ErrorCode::upstream_denied);
}

TEST(ToError, gives_everything_else_words_and_a_code) {
  EXPECT_EQ(to_terminal(wrapped(std::bad_alloc())), "error: out of memory\n");
  EXPECT_EQ(wrapped(std::bad_alloc()).code(), ErrorCode::unavailable);
  EXPECT_EQ(
      to_terminal(wrapped(std::runtime_error("odd"))),
      "error: odd\nhint: this is a bug in freshet: please report it with the command that you "
      "ran\n");
  EXPECT_EQ(
      to_terminal(wrapped(42)),
      "error: something was thrown that is no error\n"
      "hint: this is a bug in freshet: please report it with the command that you ran\n");
  EXPECT_EQ(wrapped(42).code(), ErrorCode::internal);
}

TEST(Error, cuts_remote_text_to_4_kib) {
  const Error error = Error(ErrorCode::internal, "x").with_remote_text(std::string(5000, 'a'));
  std::string expected(4096, 'a');
  expected += "…";
  EXPECT_EQ(error.remote_text(), expected);
}

TEST(Error, keeps_the_position_that_it_got_first) {
  Error error(ErrorCode::internal, "x");
  error.set_position_if_unknown({.file = "a", .line = 1, .column = 0});
  error.set_position_if_unknown({.file = "b", .line = 2, .column = 0});
  EXPECT_EQ(to_string(error.position()), "a:1");
}

TEST(Error, gains_a_frame_from_in_context) {
  try {
    in_context("reading 'x'", []() -> int { throw Error(ErrorCode::not_found, "no such file"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(to_terminal(error), "error: no such file\n  while reading 'x'\n");
  }
}

TEST(Error, passes_every_text_through_a_transformation) {
  const Error shouted = full_error().with_texts(
      [](std::string_view text) { return std::string(text.substr(0, 1)) + "!"; });
  EXPECT_EQ(
      to_terminal(shouted),
      "error: r!\n  it said: 'U!' (HTTP 401)\n  while p!\n  while r!\n  at "
      "codefresh.yml:14:3\nhint: r!\n");
}

TEST(ErrorCode, decides_on_exit_code_and_retry) {
  struct Case {
    ErrorCode code;
    const char* name;
    int exit_code;
    bool is_retryable;
  };
  for (const Case& known : {
           Case{ErrorCode::invalid_input, "invalid_input", 2, false},
           Case{ErrorCode::unsupported, "unsupported", 2, false},
           Case{ErrorCode::unauthenticated, "unauthenticated", 1, false},
           Case{ErrorCode::forbidden, "forbidden", 1, false},
           Case{ErrorCode::not_found, "not_found", 1, false},
           Case{ErrorCode::conflict, "conflict", 1, false},
           Case{ErrorCode::too_large, "too_large", 1, false},
           Case{ErrorCode::upstream_denied, "upstream_denied", 1, false},
           Case{ErrorCode::corrupt_data, "corrupt_data", 1, false},
           Case{ErrorCode::rate_limited, "rate_limited", 3, true},
           Case{ErrorCode::unavailable, "unavailable", 3, true},
           Case{ErrorCode::deadline_exceeded, "deadline_exceeded", 3, true},
           Case{ErrorCode::internal, "internal", 1, false},
       }) {
    EXPECT_EQ(to_string(known.code), known.name);
    EXPECT_EQ(exit_code_of(known.code), known.exit_code) << known.name;
    EXPECT_EQ(is_retryable(known.code), known.is_retryable) << known.name;
  }
}

TEST(ErrorTexts, are_all_put_through_a_transformation) {
  Error error = Error(ErrorCode::upstream_denied, "said s3cret")
                    .with_hint("not s3cret again")
                    .with_remote_text("you sent s3cret");
  error.add_frame("pushing s3cret");
  const Error masked = error.with_texts([](std::string_view text) {
    std::string out(text);
    const std::size_t at = out.find("s3cret");
    return out.replace(at, 6, "***");
  });
  EXPECT_EQ(
      to_terminal(masked),
      "error: said ***\n  it said: 'you sent ***'\n  while pushing ***\nhint: not *** again\n");
}

}  // namespace
}  // namespace freshet
