// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/error_text.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <functional>
#include <future>
#include <string>

namespace freshet::testing {

/// Runs `operation` on a loop of its own to its end and gives its result or throws what it threw.
template <class T>
T run(Awaitable<T> operation) {
  asio::io_context loop;
  std::future<T> result = asio::co_spawn(loop, std::move(operation), asio::use_future);
  loop.run();
  return result.get();
}

/// `code` and, below it, the whole text that a person would see; `no error` when `work` succeeds.
inline std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + "\n" + to_terminal(error);
  }
  return "no error";
}

}  // namespace freshet::testing
