// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/client.hpp"

#include <string>

namespace freshet::engine {

/// The configuration of an image of the engine, byte for byte, by a name that it has there: the
/// builder tells it to its frontends, and for this question Freshet is one. No part of the image
/// is read for it. `ctx` must have a deadline.
///
/// What a name stands for may change at any time: compare the digest with the image's id. A name
/// that the engine does not have is looked for in its registry.
/// Throws what DockerClient throws; unavailable, with the builder's own words, when it has no
/// answer.
/// Source: shared protocol definitions of BuildKit (moby.buildkit.v1.frontend).
Awaitable<std::string> read_image_config(Ctx ctx, DockerClient& client, std::string name);

}  // namespace freshet::engine
