// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/process.hpp"

#include "freshet/base/files.hpp"
#include "freshet/base/lines.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

namespace freshet {
namespace {

constexpr auto k_stop_grace = std::chrono::seconds(2);

/// A running child; its destructor ends it and takes its exit status, so none is left behind.
class Child {
 public:
  Child(pid_t pid, UniqueFd pid_fd) : pid_(pid), pid_fd_(std::move(pid_fd)) {}
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), pid_fd_(std::move(other.pid_fd_)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ > 0) {
      stop();
    }
  }

  int pid_fd() const { return pid_fd_.get(); }

  int take_exit_code() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  void stop() {
    ::kill(pid_, SIGTERM);
    const auto give_up = std::chrono::steady_clock::now() + k_stop_grace;
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > give_up) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, &status, 0);
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  pid_t pid_;
  UniqueFd pid_fd_;
};

std::vector<std::string> merged_environment(const Command& command) {
  const std::vector<std::string>& extra = command.environment;
  std::vector<std::string> out = extra;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool replaced = std::any_of(extra.begin(), extra.end(), [&](const std::string& other) {
      return other.starts_with(name) && other.size() > name.size() && other[name.size()] == '=';
    });
    const bool left_out =
        std::find(command.without.begin(), command.without.end(), name) != command.without.end();
    if (!replaced && !left_out) {
      out.emplace_back(text);
    }
  }
  return out;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    out.push_back(text.data());
  }
  out.push_back(nullptr);
  return out;
}

Child spawn(const Command& command, int output_fd) {
  // The system would report it like a missing program.
  std::error_code code;
  if (!command.directory.empty() && !std::filesystem::is_directory(command.directory, code)) {
    throw Error(
        ErrorCode::not_found,
        fmt::format(
            "there is no directory '{}' to run '{}' in",
            command.directory.string(),
            command.argv.at(0)));
  }
  std::vector<std::string> argv = command.argv;
  std::vector<std::string> environment = merged_environment(command);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output_fd, STDERR_FILENO);
  if (!command.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
  }
  pid_t pid = -1;
  const int outcome = ::posix_spawnp(
      &pid,
      argv.at(0).c_str(),
      &actions,
      nullptr,
      pointers_to(argv).data(),
      pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (outcome != 0) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("cannot start '{}': {}", command.argv.at(0), std::strerror(outcome)))
        .with_hint(
            fmt::format("install '{}' and make sure that it is on the PATH", command.argv.at(0)));
  }
  const auto pid_fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  return Child(pid, UniqueFd(pid_fd));
}

Awaitable<void> read_lines(asio::posix::stream_descriptor& output, LineSink on_line) {
  LineSplitter splitter(std::move(on_line));
  std::array<char, 16384> buffer;
  for (;;) {
    boost::system::error_code code;
    auto token = asio::redirect_error(asio::use_awaitable, code);
    const std::size_t count = co_await output.async_read_some(asio::buffer(buffer), token);
    if (code == asio::error::operation_aborted) {
      throw boost::system::system_error(code);
    }
    if (code) {
      break;  // end of file
    }
    splitter.feed({buffer.data(), count});
  }
  splitter.finish();
}

Awaitable<int> run(Command command, LineSink on_line) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error(
        ErrorCode::unavailable, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  const auto executor = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor output(executor, ends[0]);
  UniqueFd writing_end(ends[1]);
  Child child = spawn(command, writing_end.get());
  writing_end = UniqueFd();
  co_await read_lines(output, std::move(on_line));
  asio::posix::stream_descriptor exited(executor, ::dup(child.pid_fd()));
  co_await exited.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
  co_return child.take_exit_code();
}

}  // namespace

Awaitable<int> run_command(Ctx ctx, Command command, LineSink on_line) {
  const std::string name = command.argv.at(0);
  co_return co_await with_deadline(
      ctx, "running '" + name + "'", run(std::move(command), std::move(on_line)));
}

}  // namespace freshet
