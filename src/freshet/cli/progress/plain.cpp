// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error_text.hpp"
#include "freshet/base/text.hpp"
#include "freshet/cli/progress/progress.hpp"
#include "freshet/cli/progress/terminal_text.hpp"

#include <fmt/format.h>

namespace freshet::cli {
namespace {

using model::StepResult;
using pipeline::StepInfo;
using pipeline::VertexEvent;

/// One line after the other, for logs and pipes.
class PlainProgress final : public pipeline::RunObserver {
 public:
  explicit PlainProgress(std::FILE* out) : out_(out) {}

  void on_build_started(
      const model::BuildRecord& build, const std::vector<StepInfo>& steps) override {
    print(
        fmt::format("Build {} of pipeline '{}': {} steps", build.id, build.pipeline, steps.size()));
  }

  void on_step_started(const StepInfo& step) override {
    print("");
    const std::string title = step.title == step.name ? "" : ": " + step.title;
    print(fmt::format("== {} ({}){}", step.name, step.type, title));
  }

  void on_line(const StepInfo&, int vertex, std::string_view line) override {
    const std::string safe = terminal_safe(line, false);
    print(vertex > 0 ? fmt::format("#{} {}", vertex, safe) : safe);
  }

  void on_vertex(const StepInfo&, const VertexEvent& event) override {
    switch (event.state) {
      case VertexEvent::State::started:
        print(fmt::format("#{} {}", event.number, terminal_safe(event.name, false)));
        return;
      case VertexEvent::State::failed:
        print(fmt::format("#{} {} FAILED", event.number, terminal_safe(event.name, false)));
        return;
      case VertexEvent::State::completed:
        print(
            event.cached
                ? fmt::format("#{} {} CACHED", event.number, terminal_safe(event.name, false))
                : fmt::format("#{} done {}", event.number, human_duration(event.duration)));
        return;
    }
  }

  void on_vertex_status(const StepInfo&, int, std::string_view) override {}

  void on_image(const StepInfo&, const model::ImageRecord& image) override {
    print(fmt::format(
        "Image {} ({}, {} layers)",
        image.internal_image_id.substr(0, 12),
        human_size(image.size_bytes),
        image.layers.size()));
    for (const model::ImageTag& tag : image.tags) {
      print(fmt::format("  {}", tag.reference()));
    }
  }

  void on_step_finished(
      const StepInfo& step,
      StepResult result,
      std::chrono::milliseconds duration,
      const Error*) override {
    if (result == StepResult::skipped) {
      print(fmt::format("== {} skipped", step.name));
      return;
    }
    print(fmt::format(
        "== {} {} in {}", step.name, model::to_string(result), human_duration(duration)));
  }

  void on_build_finished(
      const model::BuildRecord& build,
      std::chrono::milliseconds duration,
      std::string_view log_directory) override {
    print("");
    print(fmt::format(
        "Build {} {} in {}", build.id, model::to_string(build.result), human_duration(duration)));
    print(fmt::format("Logs of its steps: {}", log_directory));
  }

 private:
  void print(std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), out_);
    std::fputc('\n', out_);
    std::fflush(out_);
  }

  std::FILE* out_;
};

}  // namespace

std::unique_ptr<pipeline::RunObserver> make_plain_progress(std::FILE* out) {
  return std::make_unique<PlainProgress>(out);
}

}  // namespace freshet::cli
