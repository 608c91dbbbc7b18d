// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace freshet::model {

/// A compressed layer that some registry was seen to have, and what it is uncompressed.
struct KnownLayer {
  std::string diff_id;  // digest of the uncompressed archive
  std::string digest;  // of the compressed one
  std::string media_type;
  std::uint64_t size_bytes = 0;  // compressed
  std::string domain;
  std::string repository;

  bool operator==(const KnownLayer&) const = default;
};

}  // namespace freshet::model
