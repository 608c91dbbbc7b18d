// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace freshet {

/// A new random id of 24 hexadecimal characters (96 bits), as build and record ids are written.
std::string make_id();

/// Milliseconds since the epoch; the form in which points in time are stored.
using UnixTime = std::chrono::sys_time<std::chrono::milliseconds>;
UnixTime now();
/// `2026-03-01T12:00:00Z`
std::string to_rfc3339(UnixTime time);

}  // namespace freshet
