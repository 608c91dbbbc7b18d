// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/testing/run.hpp"
#include "freshet/store/testing/temp_data_directory.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace freshet::store::testing {

using freshet::testing::error_of;

/// What every store promises, asked twice: through the handle that wrote, and through another one
/// on the same directory, as another process would see it.
class StoreContract : public ::testing::TestWithParam<bool> {
 protected:
  DataDirectory& writer() { return directory_.data(); }
  DataDirectory& reader() { return GetParam() ? *other_ : directory_.data(); }

 private:
  TempDataDirectory directory_;
  std::unique_ptr<DataDirectory> other_ = DataDirectory::open(directory_.directory());
};

inline std::string handle_name(const ::testing::TestParamInfo<bool>& info) {
  return info.param ? "seen_by_another_handle" : "seen_by_the_same_handle";
}

}  // namespace freshet::store::testing
