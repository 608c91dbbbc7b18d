// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/past_image.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace freshet::store::testing {

inline model::InstructionKey key_of(std::uint8_t number) {
  model::InstructionKey key{};
  key[0] = number;
  key[31] = 0xFF;  // bytes that are no text
  return key;
}

/// An image that offers the results of these keys and is in a registry.
inline model::PastImage past_image(const std::string& id, const std::vector<std::uint8_t>& keys) {
  model::PastImage out;
  out.id = id;
  out.platform = "linux/amd64";
  out.pipeline = "team/app";
  out.branch = "main";
  out.created_at = UnixTime(std::chrono::milliseconds(1'700'000'000'000));
  out.copies = {{"registry.example", "team/app", "sha256:" + id, out.created_at}};
  for (const std::uint8_t key : keys) {
    const std::string diff_id = fmt::format("sha256:{:064x}", key);
    out.instructions.push_back({key_of(key), std::chrono::seconds(key), true, diff_id, key * 10U});
  }
  return out;
}

}  // namespace freshet::store::testing
