// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/ids.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace freshet::model {

/// A hash of everything that decides what an instruction makes, the keys of its parents included.
/// Equal keys: same result. So whoever has the result of a key needs nothing of what is below it.
using InstructionKey = std::array<std::uint8_t, 32>;

/// What one build knows of an instruction of its Dockerfile.
struct PastInstruction {
  InstructionKey key{};
  /// How long it took; absent when that build did not run it (its result came from a cache).
  std::optional<std::chrono::milliseconds> cost;
  /// Whether the image gives its result to later builds. Other instructions of the build (of a
  /// stage that the image holds nothing of) are listed for their cost.
  bool is_offered = true;
  std::string diff_id;  // `sha256:…` of the layer that it made; empty: none, or not known
  std::uint64_t size_bytes = 0;  // of that layer

  bool operator==(const PastInstruction&) const = default;
};

/// Where an image is.
struct ImageCopy {
  std::string registry;  // domain
  std::string repository;
  std::string digest;  // of its manifest
  /// When a registry was last seen to have it; absent: that it has it still is not known.
  std::optional<UnixTime> confirmed_at;

  bool operator==(const ImageCopy&) const = default;
};

/// What a past image offers to later builds.
struct PastImage {
  std::string
      id;  // of its `ImageRecord`; what has no record (a cache manifest) has an id of its own
  std::string platform;  // os/architecture
  /// Empty: made by a build that is trusted. Else whose untrusted builds may read it, such as the
  /// fork that it was made of.
  std::string trust_scope;
  std::string pipeline;
  std::string branch;
  UnixTime created_at{};
  std::vector<ImageCopy> copies;
  std::vector<PastInstruction> instructions;  // the order does not matter

  bool operator==(const PastImage&) const = default;
};

}  // namespace freshet::model
