// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/past_build.hpp"
#include "freshet/engine/buildkit/progress.hpp"
#include "freshet/pipeline/run/step_log.hpp"

#include <map>
#include <string>
#include <vector>

namespace freshet::pipeline {

/// Turns BuildKit's reports into the step's log: vertices numbered in order of appearance, each
/// told when it starts and when it ends, their output line by line.
///
/// BuildKit reports a vertex again and again, and may start and complete one several times (a cache
/// lookup, then a load): it is told again only when its outcome changed.
class BuildProgress {
 public:
  explicit BuildProgress(StepLog& log) : log_(log) {}

  void apply(const engine::ProgressUpdate& update);
  /// The same build is begun anew: how vertices ended so far counts no more. They keep their
  /// numbers.
  void begin_again();

  /// Operations that the cache answered and all that count: RUN, COPY, ADD and WORKDIR, which are
  /// the ones whose cached mark can be relied on.
  struct CacheCount {
    int cached = 0;
    int total = 0;
  };
  CacheCount count_cached() const;
  /// How long each operation took that ended well.
  std::vector<cache::VertexTime> times() const;

 private:
  struct Known {
    int number = 0;
    std::string name;
    bool is_told_done = false;
    bool is_cached = false;
    bool has_failed = false;
    std::chrono::milliseconds duration{0};  // as last told
  };

  Known& known(const std::string& digest);
  void apply_vertex(const engine::Vertex& vertex);
  void apply_status(const engine::VertexStatus& status);

  StepLog& log_;
  std::map<std::string, Known> vertices_;
};

}  // namespace freshet::pipeline
