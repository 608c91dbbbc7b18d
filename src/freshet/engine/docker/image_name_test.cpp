// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_name.hpp"

#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/fake_engine.hpp"
#include "freshet/engine/testing/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using ::testing::ElementsAre;
using testing::failure_of;
using testing::FakeEngine;
using testing::ping;
using testing::reply;
using testing::run;

const std::string k_find_empty = "GET /v1.41/images/freshet-empty:1/json";
const std::string k_import_empty =
    "POST /v1.41/images/"
    "create?fromSrc=-&repo=freshet-empty&tag=1&changes=LABEL%20io.freshet.empty%3D1";
const std::string k_give = "POST /v1.41/images/sha256:ab/tag?repo=some%2Fname&tag=t";
const std::string k_move = "POST /v1.41/images/freshet-empty:1/tag?repo=some%2Fname&tag=t";
const std::string k_remove = "DELETE /v1.41/images/some/name:t";

class ImageName : public ::testing::Test {
 protected:
  void start(std::vector<testing::Scripted> script) {
    engine.emplace(io.get_executor(), std::move(script));
    client.emplace(io.get_executor(), engine->endpoint());
  }

  Awaitable<void> lend(std::function<Awaitable<void>()> work) {
    return with_image_name(Ctx(), *client, "sha256:ab", "some/name", "t", std::move(work));
  }

  /// The engine has the empty image.
  void start_with_empty_image() {
    start(
        {ping(),
         reply(k_find_empty, 200, R"({"Id":"sha256:cd"})"),
         reply(k_give, 201, ""),
         reply(k_move, 201, ""),
         reply(k_remove, 200, "[]")});
  }

  /// What the engine was asked, the work in between as `work`.
  Awaitable<void> note() {
    worked_after = engine->requests().size();
    co_return;
  }

  asio::io_context io;
  std::optional<FakeEngine> engine;
  std::optional<DockerClient> client;
  std::size_t worked_after = 0;
};

TEST_F(ImageName, is_given_for_the_work_and_moved_away_before_it_is_removed) {
  start_with_empty_image();
  run(io, lend([&] { return note(); }));
  EXPECT_THAT(
      engine->requests(), ElementsAre("GET /_ping", k_find_empty, k_give, k_move, k_remove));
  EXPECT_EQ(worked_after, 3U);
}

TEST_F(ImageName, needs_an_empty_image_which_is_made_first) {
  start(
      {ping(),
       reply(k_find_empty, 404, R"({"message":"No such image"})"),
       reply(k_import_empty, 200, R"({"status":"sha256:cd"})"),
       reply(k_give, 201, ""),
       reply(k_move, 201, ""),
       reply(k_remove, 200, "[]")});
  run(io, lend([&] { return note(); }));
  EXPECT_TRUE(engine->is_finished());
  EXPECT_EQ(worked_after, 4U);
}

Awaitable<void> fail() {
  throw Error(ErrorCode::unavailable, "the work failed");
  co_return;
}

TEST_F(ImageName, is_taken_back_when_the_work_fails) {
  start_with_empty_image();
  EXPECT_EQ(failure_of([&] { run(io, lend(fail)); }), "unavailable: the work failed");
  EXPECT_TRUE(engine->is_finished());
}

TEST_F(ImageName, is_taken_back_when_the_work_is_stopped) {
  start_with_empty_image();
  asio::cancellation_signal stop;
  const auto work = [&]() -> Awaitable<void> {
    asio::post(io, [&] { stop.emit(asio::cancellation_type::terminal); });
    co_await sleep_for(std::chrono::hours(1));
  };
  std::exception_ptr thrown;
  const auto note_end = [&](std::exception_ptr failure) { thrown = std::move(failure); };
  asio::co_spawn(io, lend(work), asio::bind_cancellation_slot(stop.slot(), note_end));
  io.run_for(std::chrono::seconds(10));
  EXPECT_TRUE(engine->is_finished());
  EXPECT_THROW(std::rethrow_exception(thrown), boost::system::system_error);
}

}  // namespace
}  // namespace freshet::engine
