// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/process.hpp"

#include "freshet/base/testing/run.hpp"
#include "freshet/base/testing/temp_directory.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace freshet {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::error_of;
using testing::TempDirectory;

struct Outcome {
  int exit_code = -1;
  std::vector<std::string> lines;
};

Outcome run_to_end(Command command, Ctx ctx = {}) {
  Outcome outcome;
  const LineSink sink = [&](std::string_view line) { outcome.lines.emplace_back(line); };
  outcome.exit_code = testing::run(run_command(ctx, std::move(command), sink));
  return outcome;
}

Command shell(const std::string& script) {
  Command command;
  command.argv = {"sh", "-c", script};
  return command;
}

/// Starts `command`, which prints its process id, and cancels it at that moment.
struct Cancelled {
  pid_t pid = 0;
  std::exception_ptr failure;
};

Cancelled cancel_when_started(Command command, Ctx ctx) {
  asio::io_context loop;
  asio::cancellation_signal cancel;
  Cancelled outcome;
  const LineSink sink = [&](std::string_view line) {
    outcome.pid = std::stoi(std::string(line));
    asio::post(loop, [&] { cancel.emit(asio::cancellation_type::terminal); });
  };
  const auto on_end = [&](std::exception_ptr failure, int) { outcome.failure = failure; };
  asio::co_spawn(
      loop,
      run_command(ctx, std::move(command), sink),
      asio::bind_cancellation_slot(cancel.slot(), on_end));
  loop.run();
  return outcome;
}

bool is_running(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

TEST(RunCommand, gives_the_exit_code) {
  EXPECT_EQ(run_to_end(shell("exit 0")).exit_code, 0);
  EXPECT_EQ(run_to_end(shell("exit 37")).exit_code, 37);
  EXPECT_EQ(run_to_end(shell("kill -9 $$")).exit_code, 137);
  EXPECT_EQ(run_to_end(shell("exec >&- 2>&-; exit 3")).exit_code, 3) << "output closed early";
}

TEST(RunCommand, hands_on_the_lines_of_both_streams) {
  EXPECT_THAT(
      run_to_end(shell("echo out; echo err >&2; printf 'no break'")).lines,
      ElementsAre("out", "err", "no break"));
}

TEST(RunCommand, passes_every_byte_of_a_large_output) {
  const Outcome outcome = run_to_end(shell("seq 1 50000"));
  ASSERT_EQ(outcome.lines.size(), 50000u);
  EXPECT_EQ(outcome.lines.front(), "1");
  EXPECT_EQ(outcome.lines.back(), "50000");
}

TEST(RunCommand, gives_no_input) {
  EXPECT_THAT(run_to_end(shell("cat; echo done")).lines, ElementsAre("done"));
}

TEST(RunCommand, passes_arguments_without_a_shell) {
  Command command;
  command.argv = {"printf", "%s|", "a b", "$HOME", "", "*"};
  EXPECT_THAT(run_to_end(command).lines, ElementsAre("a b|$HOME||*|"));
}

TEST(RunCommand, puts_its_environment_over_the_inherited_one) {
  ::setenv("FRESHET_TEST_KEPT", "kept", 1);
  ::setenv("FRESHET_TEST_CHANGED", "before", 1);
  Command command = shell(
      "echo $FRESHET_TEST_KEPT $FRESHET_TEST_CHANGED $FRESHET_TEST_NEW; env | grep -c "
      "FRESHET_TEST");
  command.environment = {"FRESHET_TEST_CHANGED=after", "FRESHET_TEST_NEW=a=b"};
  EXPECT_THAT(run_to_end(command).lines, ElementsAre("kept after a=b", "3"));
}

TEST(RunCommand, leaves_out_what_its_program_must_not_inherit) {
  ::setenv("FRESHET_TEST_UNWANTED", "x", 1);
  Command command = shell("echo ${FRESHET_TEST_UNWANTED-gone}");
  command.without = {"FRESHET_TEST_UNWANTED"};
  EXPECT_THAT(run_to_end(command).lines, ElementsAre("gone"));
}

TEST(RunCommand, runs_in_its_directory) {
  const TempDirectory directory;
  Command command = shell("pwd -P");
  command.directory = directory.path();
  EXPECT_THAT(run_to_end(command).lines, ElementsAre(fs::canonical(directory.path()).string()));
}

TEST(RunCommand, names_a_program_that_is_missing) {
  Command command;
  command.argv = {"freshet-no-such-program"};
  EXPECT_EQ(
      error_of([&] { run_to_end(command); }),
      "not_found\n"
      "error: cannot start 'freshet-no-such-program': No such file or directory\n"
      "hint: install 'freshet-no-such-program' and make sure that it is on the PATH\n");
}

TEST(RunCommand, names_a_directory_that_is_missing) {
  Command command = shell("exit 0");
  command.directory = "/no/such/directory";
  EXPECT_EQ(
      error_of([&] { run_to_end(command); }),
      "not_found\nerror: there is no directory '/no/such/directory' to run 'sh' in\n");
}

TEST(RunCommand, ends_the_program_at_the_deadline) {
  EXPECT_EQ(
      error_of([&] { run_to_end(shell("exec sleep 1000"), Ctx().within(50ms)); }),
      "deadline_exceeded\nerror: running 'sh' took too long\n");
}

TEST(RunCommand, is_not_held_up_by_a_deadline_far_away) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(run_to_end(shell("exit 5"), Ctx().within(1h)).exit_code, 5);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

TEST(RunCommand, ends_the_program_when_it_is_cancelled) {
  for (const Ctx& ctx : {Ctx(), Ctx().within(1h)}) {
    const Cancelled outcome = cancel_when_started(shell("echo $$; exec sleep 1000"), ctx);
    EXPECT_GT(outcome.pid, 0);
    EXPECT_FALSE(is_running(outcome.pid));
    ASSERT_TRUE(outcome.failure);
    EXPECT_THROW(std::rethrow_exception(outcome.failure), boost::system::system_error);
  }
}

TEST(RunCommand, kills_a_program_that_does_not_obey) {
  const Cancelled outcome =
      cancel_when_started(shell("trap '' TERM; echo $$; exec sleep 1000"), Ctx());
  EXPECT_GT(outcome.pid, 0);
  EXPECT_FALSE(is_running(outcome.pid));
}

TEST(RunCommand, passes_on_what_the_sink_throws_and_ends_the_program) {
  pid_t pid = 0;
  const LineSink sink = [&](std::string_view line) {
    pid = std::stoi(std::string(line));
    throw Error(ErrorCode::unavailable, "disk full");
  };
  EXPECT_EQ(
      error_of([&] { testing::run(run_command(Ctx(), shell("echo $$; exec sleep 1000"), sink)); }),
      "unavailable\nerror: disk full\n");
  EXPECT_GT(pid, 0);
  EXPECT_FALSE(is_running(pid));
}

}  // namespace
}  // namespace freshet
