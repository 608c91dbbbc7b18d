// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/engine/docker/client.hpp"

#include <string>
#include <string_view>

namespace freshet::pipeline {

/// On the image of Freshet's own program, which stays in the engine from one run to the next.
inline constexpr std::string_view k_helper_label = "io.freshet.helper";

/// The program in its image.
inline constexpr std::string_view k_reclaim_program = "/reclaim";

/// A POSIX archive (ustar) with the one file `name`, an executable of root's; always the same bytes
/// for the same content.
std::string make_program_archive(std::string_view name, std::string_view content);

/// Makes sure that the engine has the image whose only file is the program of `program.cpp`, and
/// returns its id. Whatever else is called like it in the engine is never run.
/// Throws what the engine says; corrupt_data when the engine made another image of it.
Awaitable<std::string> provide_reclaim_image(Ctx ctx, engine::DockerClient& engine);

}  // namespace freshet::pipeline
