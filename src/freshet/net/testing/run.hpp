// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>

namespace freshet::net::testing {

/// Runs `operation` to its end on `io` and throws its failure.
inline void run_on(asio::io_context& io, Awaitable<void> operation) {
  std::exception_ptr failure;
  bool is_done = false;
  asio::co_spawn(io, std::move(operation), [&](std::exception_ptr caught) {
    failure = caught;
    is_done = true;
  });
  io.restart();
  while (!is_done && io.run_one() > 0) {
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

namespace detail {

template <class T>
Awaitable<void> keep(Awaitable<T> operation, std::optional<T>& result) {
  result.emplace(co_await std::move(operation));
}

}  // namespace detail

/// The same, and gives its result.
template <class T>
T run_on(asio::io_context& io, Awaitable<T> operation) {
  std::optional<T> result;
  run_on(io, detail::keep(std::move(operation), result));
  return std::move(result.value());
}

/// The same on a context of its own.
template <class T>
T run(Awaitable<T> operation) {
  asio::io_context io;
  return run_on(io, std::move(operation));
}

}  // namespace freshet::net::testing
