// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace freshet::oci {

/// How often in a row each registry refused a mount. Forgotten some minutes after the last time:
/// rights and settings change while a mover lives.
class MountRefusals {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto k_memory = std::chrono::minutes(5);

  explicit MountRefusals(std::function<Clock::time_point()> now = &Clock::now);

  int count(const std::string& domain) const;
  void add(const std::string& domain);
  void forget(const std::string& domain);

 private:
  struct Row {
    int count = 0;
    Clock::time_point last;
  };

  std::function<Clock::time_point()> now_;
  std::map<std::string, Row> rows_;
};

}  // namespace freshet::oci
