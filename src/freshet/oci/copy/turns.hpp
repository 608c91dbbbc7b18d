// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <list>
#include <map>
#include <string>
#include <utility>

namespace freshet::oci {

/// Lets at most a given number of coroutines at once through the gate of a name; the others wait.
/// All of one executor.
class Turns {
 public:
  /// Being through the gate; over with the object. `Turns` must outlive it.
  class Turn {
   public:
    Turn(Turns& turns, std::string name) : turns_(&turns), name_(std::move(name)) {}
    Turn(Turn&& other) noexcept
        : turns_(std::exchange(other.turns_, nullptr)), name_(std::move(other.name_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    Turns* turns_;
    std::string name_;
  };

  explicit Turns(int at_once) : at_once_(at_once) {}

  /// Cancellable.
  Awaitable<Turn> take(std::string name);

 private:
  struct Gate {
    int inside = 0;
    std::list<asio::steady_timer*> waiting;
  };

  Awaitable<void> wait_at(std::string name);
  void leave(const std::string& name);
  void drop_if_unused(const std::string& name);

  int at_once_;
  std::map<std::string, Gate> gates_;
};

}  // namespace freshet::oci
