// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error_text.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/cli/progress/progress.hpp"

#include <boost/json.hpp>

namespace freshet::cli {
namespace {

namespace json = boost::json;
using model::StepResult;
using pipeline::StepInfo;
using pipeline::VertexEvent;

std::string_view state_name(VertexEvent::State state) {
  switch (state) {
    case VertexEvent::State::started:
      return "started";
    case VertexEvent::State::completed:
      return "completed";
    case VertexEvent::State::failed:
      break;
  }
  return "failed";
}

/// One object a line. The keys of an event never change their meaning.
class JsonProgress final : public pipeline::RunObserver {
 public:
  explicit JsonProgress(std::FILE* out) : out_(out) {}

  void on_build_started(
      const model::BuildRecord& build, const std::vector<StepInfo>& steps) override {
    json::array names;
    for (const StepInfo& step : steps) {
      names.push_back({{"name", step.name}, {"title", step.title}, {"type", step.type}});
    }
    print(
        {{"event", "build_started"},
         {"build", build.id},
         {"pipeline", build.pipeline},
         {"revision",
          build.git.revision.empty() ? json::value(nullptr) : json::value(build.git.revision)},
         {"steps", std::move(names)}});
  }

  void on_step_started(const StepInfo& step) override {
    print({{"event", "step_started"}, {"step", step.name}, {"type", step.type}});
  }

  void on_line(const StepInfo& step, int vertex, std::string_view line) override {
    print(
        {{"event", "log"},
         {"step", step.name.empty() ? json::value(nullptr) : json::value(step.name)},
         {"vertex", vertex > 0 ? json::value(vertex) : json::value(nullptr)},
         {"line", valid_utf8(line)}});
  }

  void on_vertex(const StepInfo& step, const VertexEvent& event) override {
    print(
        {{"event", "vertex"},
         {"step", step.name},
         {"number", event.number},
         {"name", valid_utf8(event.name)},
         {"state", state_name(event.state)},
         {"cached", event.cached},
         {"duration_ms", event.duration.count()}});
  }

  void on_vertex_status(const StepInfo&, int, std::string_view) override {}

  void on_image(const StepInfo& step, const model::ImageRecord& image) override {
    print({{"event", "image"}, {"step", step.name}, {"image", to_json(image)}});
  }

  void on_step_finished(
      const StepInfo& step,
      StepResult result,
      std::chrono::milliseconds duration,
      const Error* error) override {
    print(
        {{"event", "step_finished"},
         {"step", step.name},
         {"result", model::to_string(result)},
         {"duration_ms", duration.count()},
         {"error",
          error == nullptr ? json::value(nullptr) : json::value(freshet::to_json(*error))}});
  }

  void on_build_finished(
      const model::BuildRecord& build,
      std::chrono::milliseconds duration,
      std::string_view log_directory) override {
    print(
        {{"event", "build_finished"},
         {"build", build.id},
         {"result", model::to_string(build.result)},
         {"duration_ms", duration.count()},
         {"logs", log_directory}});
  }

 private:
  void print(const json::object& event) {
    const std::string line = json::serialize(event) + "\n";
    std::fwrite(line.data(), 1, line.size(), out_);
    std::fflush(out_);
  }

  std::FILE* out_;
};

}  // namespace

std::unique_ptr<pipeline::RunObserver> make_json_progress(std::FILE* out) {
  return std::make_unique<JsonProgress>(out);
}

}  // namespace freshet::cli
