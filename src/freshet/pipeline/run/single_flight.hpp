// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace freshet::pipeline {

/// Work that several want done at the same time is done once, and all get its result.
///
/// Who comes after its end has it done again. When the one whose work it is gets cancelled, the
/// next of those who wait does it. One executor.
class SingleFlight {
 public:
  using Work = std::function<Awaitable<std::string>()>;

  /// Throws what the work throws; an `Error` to all who wait. Cancellable.
  Awaitable<std::string> join(std::string key, Work work);
  /// Whether somebody is at the work of that key.
  bool is_under_way(const std::string& key) const;

 private:
  struct Flight;

  std::map<std::string, std::weak_ptr<Flight>> flights_;  // those that have not ended
};

}  // namespace freshet::pipeline
