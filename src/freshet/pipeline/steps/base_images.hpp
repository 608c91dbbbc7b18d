// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::pipeline {

/// The images that a Dockerfile pulls, each once, as far as it says so itself: those of FROM,
/// `COPY --from=` and `RUN --mount=from=`, with the global ARGs put in (`arguments` win over their
/// defaults). Names that depend on the platform are left out. Pure.
std::vector<std::string> find_base_images(
    std::string_view dockerfile, const std::vector<std::pair<std::string, std::string>>& arguments);

/// `dockerfile` with images called by other names, whole words of FROM, `COPY --from=` and ARG
/// only; `names` has them by the name as it is written there. Lines stay where they are. Pure.
std::string rename_base_images(
    std::string_view dockerfile, const std::map<std::string, std::string>& names);

}  // namespace freshet::pipeline
