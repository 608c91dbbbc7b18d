// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <type_traits>

namespace freshet::engine::testing {

/// Runs `io` until `operation` has ended, and no longer: what else is under way stays so.
template <class T>
T run(asio::io_context& io, Awaitable<T> operation) {
  bool is_done = false;
  std::exception_ptr failure;
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
  const auto finish = [&](std::exception_ptr thrown, auto&&... value) {
    failure = thrown;
    if constexpr (sizeof...(value) > 0) {
      (result.emplace(std::move(value)), ...);
    }
    is_done = true;
  };
  asio::co_spawn(io, std::move(operation), finish);
  io.restart();
  while (!is_done) {
    io.run_one();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

}  // namespace freshet::engine::testing
