// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace freshet {

/// The message as a person reads it in a terminal: `error: …`, then what the other side said, the
/// frames inner to outer, and the hint; several lines, ending in a line break.
std::string to_terminal(const Error& error);

/// The same as data: `code`, `message`, `context`, `at`, `hint`, `detail`; absent values are null.
boost::json::object to_json(const Error& error);

/// Wraps what is not an `Error` (a bug, out of memory, a system error) as one.
Error to_error(const std::exception_ptr& failure);

}  // namespace freshet
