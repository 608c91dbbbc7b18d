// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/oci/layers/decompression.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::engine {

/// One part of a layer's archive.
struct TarSplitEntry {
  bool is_file = false;
  std::string bytes;  // as they stand in the archive, when it is no file
  std::string name;  // of the file whose content stands there
  std::uint64_t size_bytes = 0;  // of that content
};

/// Reads how an engine's layer archive is put together again from headers and files: lines of JSON
/// in their order, compressed. Blocks on the disk.
///
/// The checksums of the files are not looked at: the archive's digest covers them.
/// Throws corrupt_data. Source: github.com/vbatts/tar-split, package tar/storage.
class TarSplitReader {
 public:
  explicit TarSplitReader(UniqueFd file);

  /// nullopt at the end.
  std::optional<TarSplitEntry> next();

 private:
  std::optional<std::string_view> next_line();
  void fill();
  bool read_input();

  UniqueFd file_;
  std::unique_ptr<oci::Decompressor> decompressor_;
  std::vector<char> input_;
  std::size_t input_taken_ = 0;
  std::size_t input_size_ = 0;
  std::string text_;  // unread lines, the last one in part
  std::size_t text_taken_ = 0;
  bool is_at_end_ = false;
  std::uint64_t position_ = 0;
};

}  // namespace freshet::engine
