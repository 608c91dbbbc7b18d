// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/image_places.hpp"
#include "freshet/cli/moved_image.hpp"

#include <string>
#include <vector>

namespace freshet::cli {

/// Moves an image that a registry has, by its digest; within one repository that is no more than a
/// tag.
Awaitable<MovedImage> move_image(
    Ctx ctx,
    Runtime& runtime,
    pipeline::RegistryImage image,
    Side target,
    std::vector<std::string> tags,
    oci::CopyOptions options,
    oci::ImageMover::ProgressLine progress);

/// Adds the new tags to the image's record, where there is one. What was not built or pushed here
/// has none.
Awaitable<void> note_tags(Ctx ctx, Runtime& runtime, MovedImage moved, Side target);

/// Progress on standard error.
oci::ImageMover::ProgressLine progress_on_stderr();

}  // namespace freshet::cli
