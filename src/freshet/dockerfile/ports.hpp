// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/budget.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::dockerfile {

/// The ports of `80`, `80/udp` or `8000-8010/tcp`, each as `80/tcp`. A port or address of the host
/// in front, as in `127.0.0.1:8080:80`, is checked and dropped.
/// Throws: invalid_input, when it is none; too_large.
std::vector<std::string> parse_ports(std::string_view text, Budget& budget);

}  // namespace freshet::dockerfile
