// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/model/build.hpp"
#include "freshet/model/image.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::pipeline {

/// A step as observers know it.
struct StepInfo {
  std::string name;
  std::string title;  // the name when none was given
  std::string type;  // `freestyle`, `build`, …
};

/// An operation of an image build that started or ended.
struct VertexEvent {
  enum class State { started, completed, failed };

  int number = 0;  // in order of appearance within the step, from 1
  std::string name;
  State state = State::started;
  bool cached = false;
  std::chrono::milliseconds duration{0};
};

/// Follows a run. Texts are masked already. All calls come on the run's executor, in order.
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  virtual void on_build_started(
      const model::BuildRecord& build, const std::vector<StepInfo>& steps) = 0;
  virtual void on_step_started(const StepInfo& step) = 0;
  /// One line of output; `vertex` is the number of the build operation that printed it, 0 for none.
  virtual void on_line(const StepInfo& step, int vertex, std::string_view line) = 0;
  virtual void on_vertex(const StepInfo& step, const VertexEvent& event) = 0;
  /// What a running vertex is doing, e.g. `transferring context 12.1 MB`; replaces the one before.
  virtual void on_vertex_status(const StepInfo& step, int vertex, std::string_view status) = 0;
  virtual void on_image(const StepInfo& step, const model::ImageRecord& image) = 0;
  virtual void on_step_finished(
      const StepInfo& step,
      model::StepResult result,
      std::chrono::milliseconds duration,
      const Error* error) = 0;
  virtual void on_build_finished(
      const model::BuildRecord& build,
      std::chrono::milliseconds duration,
      std::string_view log_directory) = 0;
};

}  // namespace freshet::pipeline
