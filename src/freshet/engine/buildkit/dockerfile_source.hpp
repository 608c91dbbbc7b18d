// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/engine/filesync/file_tree.hpp"

#include <memory>
#include <string>

namespace freshet::engine {

/// The Dockerfile as the builder gets it: read once and served from memory, alone with its ignore
/// file, so that nothing else of its directory can be asked for.
struct DockerfileSource {
  std::string file_name;  // under which it is served
  std::string label;  // for people: relative to the context when inside, else absolute
  std::shared_ptr<const FileTree> tree;
};

/// Reads the Dockerfile and `<name>.dockerignore` beside it. As the docker command does, takes
/// `dockerfile` where `Dockerfile` is missing. Links are followed as long as they stay inside the
/// context, or inside the Dockerfile's directory when that is elsewhere.
/// Throws: not_found, forbidden, invalid_input (a directory, a link that leads out), too_large.
DockerfileSource load_dockerfile(const BuildRequest& request);

}  // namespace freshet::engine
