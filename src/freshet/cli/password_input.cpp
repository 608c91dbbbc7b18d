// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/password_input.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

namespace freshet::cli {
namespace {

/// Key files of cloud providers are a few kilobytes of JSON.
constexpr std::size_t k_max_password_bytes = 64 * 1024;

volatile std::sig_atomic_t g_interrupted = 0;  // what a signal handler may write to

extern "C" void note_interruption(int) {
  g_interrupted = 1;
}

/// Turns the terminal's echo off while it lives. Signals that would end the program only interrupt
/// the reading meanwhile, so that the user's shell gets its echo back.
class NoEcho {
 public:
  explicit NoEcho(int terminal) : terminal_(terminal) {
    struct sigaction action {};
    action.sa_handler = note_interruption;  // without SA_RESTART: `read` returns
    g_interrupted = 0;
    for (std::size_t i = 0; i < k_signals.size(); ++i) {
      ::sigaction(k_signals[i], &action, &old_actions_[i]);
    }
    ::tcgetattr(terminal_, &old_);
    termios silent = old_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(terminal_, TCSAFLUSH, &silent);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    ::tcsetattr(terminal_, TCSAFLUSH, &old_);
    for (std::size_t i = 0; i < k_signals.size(); ++i) {
      ::sigaction(k_signals[i], &old_actions_[i], nullptr);
    }
  }

 private:
  static constexpr std::array k_signals{SIGINT, SIGTERM, SIGHUP};

  int terminal_;
  termios old_{};
  std::array<struct sigaction, k_signals.size()> old_actions_{};
};

/// Reads until the end, or with `one_line` until a line break.
std::string read_until_end(int fd, bool one_line) {
  std::string out;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      if (g_interrupted != 0) {
        throw Cancelled(StopReason::user);
      }
      continue;
    }
    if (count < 0) {
      throw Error(
          ErrorCode::invalid_input,
          fmt::format("cannot read the password from descriptor {}: {}", fd, std::strerror(errno)));
    }
    out.append(buffer.data(), static_cast<std::size_t>(count));
    sodium_memzero(buffer.data(), buffer.size());
    if (out.size() > k_max_password_bytes) {
      throw Error(
          ErrorCode::invalid_input,
          fmt::format("the password is longer than the limit of {} bytes", k_max_password_bytes));
    }
    if (count == 0 || (one_line && out.find('\n') != std::string::npos)) {
      return out;
    }
  }
}

std::string ask_on_terminal(const std::string& prompt) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!terminal.is_open()) {
    throw Error(ErrorCode::invalid_input, "there is no terminal to ask for the password on")
        .with_hint("give it by --password-stdin or --password-fd");
  }
  const std::string question = prompt + ": ";
  constexpr std::string_view k_line_break = "\n";
  [[maybe_unused]] ssize_t ignored = ::write(terminal.get(), question.data(), question.size());
  std::string answer;
  {
    const NoEcho no_echo(terminal.get());
    answer = read_until_end(terminal.get(), true);
  }
  ignored = ::write(terminal.get(), k_line_break.data(), k_line_break.size());
  return answer;
}

}  // namespace

Secret read_password(const PasswordSource& source, const std::string& prompt) {
  std::string text;
  if (source.from_stdin) {
    text = read_until_end(STDIN_FILENO, false);
  } else if (source.descriptor) {
    text = read_until_end(*source.descriptor, false);
  } else {
    text = ask_on_terminal(prompt);
  }
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  if (text.ends_with('\r')) {
    text.pop_back();
  }
  if (text.empty()) {
    throw Error(ErrorCode::invalid_input, "the password is empty");
  }
  Secret secret(text);
  sodium_memzero(text.data(), text.size());
  return secret;
}

}  // namespace freshet::cli
