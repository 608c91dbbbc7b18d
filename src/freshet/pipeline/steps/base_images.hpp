// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::pipeline {

/// The images that a Dockerfile pulls, each once, as far as it says so itself: those of FROM and
/// `COPY --from=`, with the global ARGs put in (`arguments` win over their defaults). What still
/// holds a variable is left out. Pure.
std::vector<std::string> find_base_images(
    std::string_view dockerfile, const std::vector<std::pair<std::string, std::string>>& arguments);

}  // namespace freshet::pipeline
