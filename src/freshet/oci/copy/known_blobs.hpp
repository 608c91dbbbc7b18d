// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/oci/digest.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace freshet::oci {

/// Which repositories were seen to have which blobs a short while ago. Bounded.
class KnownBlobs {
 public:
  void add(const std::string& domain, const std::string& repository, const Digest& digest);
  bool has(const std::string& domain, const std::string& repository, const Digest& digest) const;
  /// Those of `domain`.
  std::vector<std::string> repositories_with(const std::string& domain, const Digest& digest) const;
  /// Everything about one repository: it contradicted.
  void forget(const std::string& domain, const std::string& repository);

 private:
  using Repositories = std::map<std::string, Ctx::Clock::time_point>;  // since when

  std::map<std::pair<std::string, Digest>, Repositories> blobs_;
  std::size_t size_ = 0;
};

}  // namespace freshet::oci
