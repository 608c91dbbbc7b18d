// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/testing/temp_directory.hpp"
#include "freshet/store/stores.hpp"

#include <memory>

namespace freshet::store::testing {

using freshet::testing::TempDirectory;

/// A data directory as a first start makes it.
class TempDataDirectory {
 public:
  TempDataDirectory() : data_(DataDirectory::open(directory())) {}

  fs::path directory() const { return parent_.path() / "data"; }
  DataDirectory& data() { return *data_; }
  DataDirectory* operator->() { return data_.get(); }

 private:
  TempDirectory parent_;
  std::unique_ptr<DataDirectory> data_;
};

}  // namespace freshet::store::testing
