// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace freshet::engine {

using BuildTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// One operation of a build, as last reported; later reports of the same digest replace it.
struct Vertex {
  std::string digest;
  std::string name;  // e.g. `[2/4] RUN make`, `[internal] load build context`
  bool cached = false;
  std::optional<BuildTime> started;
  std::optional<BuildTime> completed;
  std::string error;  // set: it failed (or was cancelled: ends in `context canceled`)
};

/// A transfer or phase inside a vertex, keyed by (vertex, id).
struct VertexStatus {
  std::string vertex;
  std::string id;
  std::string name;
  std::int64_t current = 0;
  std::int64_t total = 0;  // 0: unknown
  bool is_complete = false;
};

/// Output of a RUN: any bytes, not line-aligned.
struct VertexLog {
  std::string vertex;
  bool is_stderr = false;
  std::string bytes;
};

struct BuildWarning {
  std::string vertex;
  std::string text;
  std::string url;
  int line = 0;  // in the Dockerfile; 0: unknown
};

/// What changed since the last report.
struct ProgressUpdate {
  std::vector<Vertex> vertices;
  std::vector<VertexStatus> statuses;
  std::vector<VertexLog> logs;
  std::vector<BuildWarning> warnings;
};

using ProgressSink = std::function<void(const ProgressUpdate& update)>;

}  // namespace freshet::engine
