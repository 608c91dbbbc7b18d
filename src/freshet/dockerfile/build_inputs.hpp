// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/manifest.hpp"

#include <map>
#include <string>

namespace freshet::dockerfile {

using Arguments = std::map<std::string, std::string, std::less<>>;

/// What a build is given beside its Dockerfile and its context.
struct BuildInputs {
  Arguments arguments;  // `--build-arg`
  std::string target;  // a stage's name; empty: the last one
  oci::Platform platform{"linux", "amd64", ""};  // that the image is for
  oci::Platform build_platform{"linux", "amd64", ""};  // of the machine that builds
};

}  // namespace freshet::dockerfile
