// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/progress.hpp"
#include "freshet/engine/buildkit/proto/control.pb.h"

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace freshet::engine {

ProgressUpdate to_progress(const moby::buildkit::v1::StatusResponse& response);

/// Remembers which vertices failed, to name the one that broke the build. Thread-safe.
class FailedVertices {
 public:
  struct Failure {
    std::string name;
    std::string error;
  };

  void note(const ProgressUpdate& update);

  /// The vertex that the failure is about: the one with this digest (may be empty), else the one
  /// whose error the failure repeats, else the first that failed by itself and was not just
  /// cancelled with the rest. Empty when there is none.
  Failure find(std::string_view digest, std::string_view message) const;

 private:
  struct Record {
    std::string name;
    std::string error;
    std::size_t order = 0;  // of the failure
  };

  mutable std::mutex mutex_;
  std::map<std::string, Record, std::less<>> records_;  // by digest
  std::size_t failures_ = 0;
};

}  // namespace freshet::engine
