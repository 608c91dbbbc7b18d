// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/digest.hpp"

#include <cstdint>
#include <string>

namespace freshet::oci {

/// What a registry needs to be asked for a piece of content, and what it must turn out to be.
/// Source: OCI Image Spec 1.1, "Content Descriptors".
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size_bytes = 0;

  bool operator==(const Descriptor&) const = default;
};

/// A manifest or an index, byte for byte as the registry has it.
struct Manifest {
  Descriptor descriptor;
  std::string bytes;
};

}  // namespace freshet::oci
