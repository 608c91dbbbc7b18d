// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <string_view>

namespace freshet::engine::testing {

/// Writes tar archives, also such as no honest program writes.
class TarMaker {
 public:
  TarMaker& add(std::string_view name, std::string_view content, char type = '0') {
    add_header(name, fmt::format("{:011o}", content.size()), type);
    bytes_ += content;
    bytes_.resize((bytes_.size() + 511) / 512 * 512);
    return *this;
  }

  /// `size` stands in the header as given: 12 bytes, octal or other.
  TarMaker& add_header(std::string_view name, std::string_view size, char type = '0') {
    std::string header(512, '\0');
    const auto put = [&](std::size_t offset, std::string_view text) {
      header.replace(offset, text.size(), text);
    };
    put(0, name.substr(0, 100));
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, size);
    put(136, "00000000000");
    put(148, "        ");
    header[156] = type;
    put(257,
        std::string_view(
            "ustar\0"
            "00",
            8));
    put(345, prefix_);
    unsigned sum = 0;
    for (const char c : header) {
      sum += static_cast<unsigned char>(c);
    }
    put(148, fmt::format("{:06o}", sum));
    header[154] = '\0';
    bytes_ += header;
    return *this;
  }

  /// Of the next members.
  TarMaker& set_prefix(std::string prefix) {
    prefix_ = std::move(prefix);
    return *this;
  }

  /// A pax header for the next member. The record's length may be wrong on purpose.
  TarMaker& add_pax(std::string_view key, std::string_view value, int length_error = 0) {
    const std::string rest = fmt::format(" {}={}\n", key, value);
    std::size_t length = rest.size() + 1;
    while (std::to_string(length).size() + rest.size() != length) {
      ++length;
    }
    return add("pax", std::to_string(static_cast<int>(length) + length_error) + rest, 'x');
  }

  const std::string& unfinished() const { return bytes_; }
  std::string finish() const { return bytes_ + std::string(1024, '\0'); }

 private:
  std::string bytes_;
  std::string prefix_;
};

}  // namespace freshet::engine::testing
