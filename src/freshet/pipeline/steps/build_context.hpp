// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/context_digest.hpp"
#include "freshet/engine/buildkit/builder.hpp"

namespace freshet::pipeline {

/// The context of a build as it is digested: without what the ignore file keeps from the builder,
/// with a memo below `data_directory`. Of `request` only what says where context and Dockerfile
/// are, and its key, count. Throws as `engine::load_dockerfile`. Blocking.
cache::ContextRequest make_context_request(
    const engine::BuildRequest& request, const fs::path& data_directory);

}  // namespace freshet::pipeline
