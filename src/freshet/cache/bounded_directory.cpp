// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/bounded_directory.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace freshet::cache {

void remove_oldest(const fs::path& directory, std::string_view extension, std::size_t keep) {
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(directory, code)) {
    if (entry.path().extension() == extension) {
      files.emplace_back(entry.last_write_time(code), entry.path());
    }
  }
  std::ranges::sort(files, std::greater<>());
  for (std::size_t i = keep; i < files.size(); ++i) {
    fs::remove(files[i].second, code);
  }
}

}  // namespace freshet::cache
