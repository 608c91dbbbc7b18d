// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::engine {

/// A directory for one test, removed with everything in it.
class TempTree {
 public:
  TempTree();
  ~TempTree();
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;

  const fs::path& path() const { return path_; }

  /// Each of these makes missing parents.
  void file(const std::string& name, std::string_view content = "");
  void directory(const std::string& name);
  void link(const std::string& name, const std::string& target);
  void hard_link(const std::string& name, const std::string& first);
  void fifo(const std::string& name);
  void socket(const std::string& name);

 private:
  fs::path place(const std::string& name);

  fs::path path_;
};

/// Takes root's right to read everything away from the calling thread, so that tests of missing
/// permissions also work where the tests run as root.
class AsNobody {
 public:
  AsNobody();
  ~AsNobody();
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  int before_;
};

}  // namespace freshet::engine
