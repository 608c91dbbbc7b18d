// SPDX-License-Identifier: Apache-2.0
// Stands in for libFuzzer: runs a fuzz entry over the files of the folders that it is given.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// In a block of its very size, so that a sanitizer sees a read beyond the end.
void run_once(const std::string& input, std::size_t size) {
  const auto block = std::make_unique<std::uint8_t[]>(size);
  std::copy_n(input.data(), size, block.get());
  LLVMFuzzerTestOneInput(block.get(), size);
}

}  // namespace

int main(int count, char** arguments) {
  constexpr std::size_t k_most_beginnings = 2000;  // of a seed; more would take long
  int seeds = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(arguments[i])) {
      if (!entry.is_regular_file()) {
        continue;
      }
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(file), {}};
      const std::size_t step = input.size() / k_most_beginnings + 1;
      for (std::size_t size = 0; size < input.size(); size += step) {
        run_once(input, size);
      }
      run_once(input, input.size());
      ++seeds;
    }
  }
  std::printf("%d seeds\n", seeds);
  return seeds > 0 ? 0 : 1;
}
