// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/errand.hpp"

#include <string>
#include <vector>

namespace freshet::oci {

/// Pushes `image` to the target of `errand` and gives the manifest there.
Awaitable<Descriptor> push_image(
    Errand& errand, ImageSource& image, std::vector<std::string> tags, PushOptions options);

}  // namespace freshet::oci
