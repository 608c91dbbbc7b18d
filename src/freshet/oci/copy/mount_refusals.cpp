// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/mount_refusals.hpp"

#include <utility>

namespace freshet::oci {

MountRefusals::MountRefusals(std::function<Clock::time_point()> now) : now_(std::move(now)) {}

int MountRefusals::count(const std::string& domain) const {
  const auto found = rows_.find(domain);
  const bool is_remembered = found != rows_.end() && now_() - found->second.last < k_memory;
  return is_remembered ? found->second.count : 0;
}

void MountRefusals::add(const std::string& domain) {
  const int before = count(domain);
  rows_[domain] = Row{before + 1, now_()};
}

void MountRefusals::forget(const std::string& domain) {
  rows_.erase(domain);
}

}  // namespace freshet::oci
