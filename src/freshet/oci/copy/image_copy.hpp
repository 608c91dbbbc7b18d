// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/errand.hpp"

#include <string>
#include <vector>

namespace freshet::oci {

/// What `ImageMover::copy` asks for.
struct CopyRequest {
  Place source;
  std::string reference;  // tag or digest
  std::vector<std::string> tags;
  CopyOptions options;
};

/// Copies to the target of `errand` and gives the manifest there.
Awaitable<Descriptor> copy_image(Errand& errand, CopyRequest request);

}  // namespace freshet::oci
