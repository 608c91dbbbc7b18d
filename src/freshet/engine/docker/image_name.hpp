// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/client.hpp"

#include <functional>
#include <string>

namespace freshet::engine {

/// Does `work` while an image of the engine has the further name `repository:tag`, which nobody
/// else uses: some questions the engine answers only about names.
///
/// To take its last name off an image removes the image, and whether a name is the last one is
/// other programs' doing at any moment. So the name is moved to an image without content
/// (`freshet-empty:1`, made at first need and kept) and removed there, also when `work` throws or
/// is cancelled. Throws what `work` and the client throw.
Awaitable<void> with_image_name(
    Ctx ctx,
    DockerClient& client,
    std::string image_id,
    std::string repository,
    std::string tag,
    std::function<Awaitable<void>()> work);

}  // namespace freshet::engine
