// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/builder.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace freshet::engine {

/// What newer engines attach to a failure, as JSON inside of a google.rpc.Status.
struct FailureDetails {
  std::string vertex_digest;
  std::optional<int> exit_code;
  int line = 0;  // in the Dockerfile; 0: unknown
};

/// Reads the binary details of a gRPC status; whatever it does not know it ignores.
FailureDetails parse_failure_details(std::string_view bytes);

/// A failed Solve call with what is known around it.
struct SolveFailure {
  int status_code = 0;  // of gRPC
  std::string message;
  FailureDetails details;
  std::string vertex_name;  // of the vertex that broke the build, if any
  std::string vertex_error;
  std::string dockerfile;  // as people know it
};

/// The daemon's failure in our words: a BuildFailed, or a plain Error when the build could not be
/// run at all: unavailable (the engine went away), unsupported (it has no BuildKit).
/// Source: texts of engine 20.10 (BuildKit 0.8) and of BuildKit 0.20.
[[noreturn]] void throw_solve_failure(const SolveFailure& failure);

/// Whether this is how gRPC tells that the connection to the engine broke.
bool is_connection_loss(int status_code, std::string_view message);
/// Whether this is how an engine without BuildKit answers.
bool is_lack_of_buildkit(int status_code, std::string_view message);

}  // namespace freshet::engine
