// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/base/files.hpp"

#include <stdlib.h>

#include <string>

namespace freshet::testing {

/// A directory of its own below the system's temporary one; removed with all it holds.
class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (fs::temp_directory_path() / "freshet-test-XXXXXX").string();
    FRESHET_ASSERT(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() { remove_tree(path_); }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace freshet::testing
