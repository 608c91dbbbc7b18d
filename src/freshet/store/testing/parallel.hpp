// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/base/testing/run.hpp"
#include "freshet/store/stores.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace freshet::store::testing {

using freshet::testing::error_of;

/// How many ended in an error, and one such text.
struct Outcome {
  int failures = 0;
  std::string text;
};

/// Runs `work(number, its own handle on the directory)` in `count` threads that start together.
inline Outcome in_parallel(
    int count, const fs::path& directory, const std::function<void(int, DataDirectory&)>& work) {
  std::latch start(count);
  std::mutex mutex;
  Outcome outcome;
  std::vector<std::jthread> threads;
  for (int number = 0; number < count; ++number) {
    threads.emplace_back([&, number] {
      const std::string text = error_of([&] {
        const auto data = DataDirectory::open(directory);
        start.arrive_and_wait();
        work(number, *data);
      });
      if (text != "no error") {
        const std::lock_guard lock(mutex);
        ++outcome.failures;
        outcome.text = text;
      }
    });
  }
  threads.clear();
  return outcome;
}

/// Forks `count` processes that wait for each other and do `work(number)`; returns how many of them
/// succeeded.
inline int in_processes(int count, const std::function<void(int)>& work) {
  std::array<int, 2> gate{};
  FRESHET_ASSERT(::pipe(gate.data()) == 0);
  std::vector<pid_t> children;
  for (int number = 0; number < count; ++number) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(gate[1]);
      char unused = 0;
      const bool opened = ::read(gate[0], &unused, 1) == 0;  // until the parent closes its end
      const std::string text = error_of([&] { work(number); });
      if (text != "no error") {
        std::fprintf(stderr, "process %d: %s", number, text.c_str());
      }
      ::_exit(opened && text == "no error" ? 0 : 1);
    }
    children.push_back(pid);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  int succeeded = 0;
  for (const pid_t pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    succeeded += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : 0;
  }
  return succeeded;
}

}  // namespace freshet::store::testing
