// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"

#include <optional>
#include <string>

namespace freshet::net {

/// What keeps the header of an answer from saying in exactly one way where its body ends; nullopt:
/// nothing does. Two readers of such an answer could take different bytes for the next one.
/// Source: RFC 9112 section 6.3 and 11.2.
std::optional<std::string> framing_problem(const HttpHeaders& headers);

}  // namespace freshet::net
