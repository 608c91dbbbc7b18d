// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/past_image.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::store {

/// One of an image's results: a row of `cache_results`, and whether the image offers it.
struct HeldResult {
  long long number = 0;
  bool is_offered = false;

  auto operator<=>(const HeldResult&) const = default;
};

/// As `cache_images.results` has them: each as what it is more than the one before, seven bits a
/// byte, the lowest bit of all saying whether it is offered. `results` ascend.
std::string encode_results(const std::vector<HeldResult>& results);
/// Throws corrupt_data.
std::vector<HeldResult> decode_results(std::string_view bytes);

/// `sha256:…` as 32 bytes; empty stays empty. Throws invalid_input for anything else.
std::string encode_diff_id(std::string_view text);
std::string decode_diff_id(std::string_view bytes);

inline std::string_view bytes_of(const model::InstructionKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}
/// Throws corrupt_data.
model::InstructionKey decode_key(std::string_view bytes);

}  // namespace freshet::store
