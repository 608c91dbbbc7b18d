// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/base/lines.hpp"
#include "freshet/base/masker.hpp"
#include "freshet/pipeline/run/events.hpp"

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace freshet::pipeline {

/// Takes a step's output, masks it, cuts it into lines, keeps it on disk and tells the observer.
/// A log that cannot be written (disk full) is reported once and does not stop the step.
class StepLog {
 public:
  StepLog(StepInfo step, const fs::path& file, const Masker& masker, RunObserver& observer);

  /// One whole line of Freshet's own.
  void line(std::string_view text);
  /// Text for the log on disk alone, masked by the caller: the observer learns it in another way.
  void keep(std::string_view text);
  /// Output as it arrives; `source` keeps lines of different streams apart (a vertex number, or
  /// -1 and -2 for the two streams of a container).
  void feed(int source, std::string_view bytes);
  /// Hands on unfinished last lines of all sources.
  void finish();

  void vertex(const VertexEvent& event);
  void vertex_status(int number, std::string_view status);
  void image(const model::ImageRecord& record);

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void emit(int vertex, std::string_view masked);
  void write(std::string_view text);
  /// After every piece of output: what was said is on disk even when this process is killed.
  void flush();

  StepInfo step_;
  const Masker& masker_;
  RunObserver& observer_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::map<int, LineSplitter> splitters_;
};

}  // namespace freshet::pipeline
