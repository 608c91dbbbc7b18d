// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/engine/buildkit/proto/control.pb.h"

#include <string>

namespace freshet::engine {

/// The Solve request for a build whose Dockerfile is served as `dockerfile_name`.
moby::buildkit::v1::SolveRequest make_solve_request(
    const BuildRequest& request,
    const std::string& dockerfile_name,
    const std::string& ref,
    const std::string& session);

}  // namespace freshet::engine
