// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/ids.hpp"
#include "freshet/model/build.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace freshet::model {

/// One name of an image in a registry; the pull reference is `registry/repository:tag`.
struct ImageTag {
  std::string registry;  // domain
  std::string repository;  // path
  std::string tag;
  std::string integration;  // name of the integration that pushed it; may be empty

  std::string reference() const { return registry + "/" + repository + ":" + tag; }
  bool operator==(const ImageTag&) const = default;
};

/// One line of the image's history, oldest first.
struct ImageLayer {
  std::string instruction;  // e.g. `RUN make`, as recorded in the image
  std::uint64_t size_bytes = 0;  // 0 for instructions that add no files
  std::string digest;  // diff id `sha256:…`; empty for instructions without a layer
};

/// What Freshet keeps of every image that it built or pushed; identity is `internal_image_id`.
struct ImageRecord {
  std::string id;
  std::string internal_image_id;  // config digest without `sha256:`
  std::string image_name;  // logical name, without registry and prefix
  std::string repo_digest;  // `domain/path@sha256:…` of the last push; empty when never pushed
  UnixTime created_at{};
  std::uint64_t size_bytes = 0;
  std::string os;
  std::string architecture;
  std::string hash;  // key of all that it was built of, 40 hex characters; empty: not known
  std::string dockerfile;  // full text; empty when not built here
  std::vector<ImageLayer> layers;
  std::vector<ImageTag> tags;
  GitFacts git;
  std::string build_id;
  std::string pipeline;
  std::string step;
  std::int64_t build_duration_ms = 0;
  std::int64_t push_duration_ms = 0;
};

}  // namespace freshet::model
