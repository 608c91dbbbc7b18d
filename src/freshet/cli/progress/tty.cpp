// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/cli/progress/progress.hpp"
#include "freshet/cli/progress/terminal_text.hpp"

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>

namespace freshet::cli {
namespace {

using model::StepResult;
using pipeline::StepInfo;
using pipeline::VertexEvent;
using Clock = std::chrono::steady_clock;

constexpr auto k_redraw_period = std::chrono::milliseconds(100);
constexpr std::size_t k_kept_lines = 30;  // of a vertex's output, shown when it fails
constexpr std::size_t k_max_live_vertices = 8;

constexpr std::string_view k_reset = "\x1B[0m";
constexpr std::string_view k_bold = "\x1B[1m";
constexpr std::string_view k_dim = "\x1B[2m";
constexpr std::string_view k_red = "\x1B[31m";
constexpr std::string_view k_green = "\x1B[32m";
constexpr std::string_view k_yellow = "\x1B[33m";

std::string styled(std::string_view style, std::string_view text) {
  return fmt::format("{}{}{}", style, text, k_reset);
}

/// Finished things scroll up as ordinary lines; what runs is redrawn below them.
class TtyProgress final : public pipeline::RunObserver {
 public:
  TtyProgress(std::FILE* out, boost::asio::any_io_executor executor)
      : out_(out), timer_(std::move(executor)) {}

  void on_build_started(
      const model::BuildRecord& build, const std::vector<StepInfo>& steps) override {
    total_ = steps.size();
    const std::string commit =
        build.git.revision.empty()
            ? ""
            : fmt::format(" at {} {}", build.git.branch, build.git.revision.substr(0, 7));
    print(fmt::format(
        "{} {}{}", styled(k_bold, build.pipeline), styled(k_dim, build.id), styled(k_dim, commit)));
  }

  void on_step_started(const StepInfo& step) override {
    ++current_;
    step_started_ = Clock::now();
    is_step_running_ = true;
    step_ = step;
    const std::string title = step.title == step.name ? "" : "  " + step.title;
    print(fmt::format(
        "\n{} {}{}",
        styled(k_dim, fmt::format("[{}/{}]", current_, total_)),
        styled(k_bold, step.name),
        styled(k_dim, title + " · " + step.type)));
    schedule_redraw();
  }

  void on_line(const StepInfo&, int vertex, std::string_view line) override {
    const auto found = running_.find(vertex);
    if (vertex > 0 && found != running_.end()) {
      std::deque<std::string>& lines = found->second.lines;
      lines.push_back(terminal_safe(line, false));
      if (lines.size() > k_kept_lines) {
        lines.pop_front();
      }
      return;
    }
    print(fmt::format("  {}{}", terminal_safe(line, true), k_reset));
  }

  void on_vertex(const StepInfo&, const VertexEvent& event) override {
    if (event.state == VertexEvent::State::started) {
      running_[event.number] = Vertex{event.name, Clock::now(), {}, {}};
      return;
    }
    finish_vertex(event);
    running_.erase(event.number);
    redraw();
  }

  void on_vertex_status(const StepInfo&, int vertex, std::string_view status) override {
    if (const auto found = running_.find(vertex); found != running_.end()) {
      found->second.status = status;
    }
  }

  void on_image(const StepInfo&, const model::ImageRecord& image) override {
    print(fmt::format(
        "  {} image {} {}",
        styled(k_green, "●"),
        image.internal_image_id.substr(0, 12),
        styled(k_dim, human_size(image.size_bytes))));
    for (const model::ImageTag& tag : image.tags) {
      print(fmt::format("    {}", tag.reference()));
    }
  }

  void on_step_finished(
      const StepInfo& step,
      StepResult result,
      std::chrono::milliseconds duration,
      const Error*) override {
    running_.clear();
    is_step_running_ = false;
    if (result == StepResult::skipped) {
      print(fmt::format("\n{}", styled(k_dim, "– " + step.name + " skipped")));
      return;
    }
    const bool succeeded = result == StepResult::success;
    print(fmt::format(
        "{} {} {}",
        succeeded ? styled(k_green, "✔") : styled(k_red, "✘"),
        succeeded ? step.name : fmt::format("{} {}", step.name, model::to_string(result)),
        styled(k_dim, human_duration(duration))));
  }

  void on_build_finished(
      const model::BuildRecord& build,
      std::chrono::milliseconds duration,
      std::string_view log_directory) override {
    timer_.cancel();
    const bool succeeded = build.result == StepResult::success;
    print(fmt::format(
        "\n{} in {}",
        succeeded ? styled(k_green, "success") : styled(k_red, model::to_string(build.result)),
        human_duration(duration)));
    print(styled(k_dim, fmt::format("logs: {}", log_directory)));
  }

 private:
  struct Vertex {
    std::string name;
    Clock::time_point started;
    std::string status;
    std::deque<std::string> lines;
  };

  void finish_vertex(const VertexEvent& event) {
    const auto found = running_.find(event.number);
    const std::string name = terminal_safe(event.name, false);
    if (event.state == VertexEvent::State::failed) {
      if (found != running_.end()) {
        for (const std::string& line : found->second.lines) {
          print("      " + line);
        }
      }
      print(fmt::format("  {} {}", styled(k_red, "✘"), name));
      return;
    }
    // Housekeeping that took no time is noise.
    if (name.starts_with("[internal]") && event.duration < std::chrono::milliseconds(500)) {
      return;
    }
    print(fmt::format(
        "  {} {} {}",
        styled(k_green, "✔"),
        fit(name, columns() - 14),
        event.cached ? styled(k_yellow, "CACHED") : styled(k_dim, human_duration(event.duration))));
  }

  static std::chrono::milliseconds elapsed(Clock::time_point since) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since);
  }

  std::size_t columns() const { return terminal_columns(out_).value_or(80); }

  std::vector<std::string> live_lines() const {
    std::vector<std::string> lines;
    for (const auto& [number, vertex] : running_) {
      if (lines.size() >= k_max_live_vertices * 2) {
        break;
      }
      const std::string time = human_duration(elapsed(vertex.started));
      lines.push_back(fmt::format(
          "  {} {} {}",
          styled(k_yellow, "▸"),
          fit(terminal_safe(vertex.name, false), columns() - 14),
          styled(k_dim, time)));
      const std::string& detail = vertex.lines.empty() ? vertex.status : vertex.lines.back();
      if (!detail.empty()) {
        lines.push_back(styled(k_dim, fit("      " + terminal_safe(detail, false), columns() - 1)));
      }
    }
    if (lines.empty() && is_step_running_) {
      lines.push_back(styled(k_dim, fmt::format("  … {}", human_duration(elapsed(step_started_)))));
    }
    return lines;
  }

  void erase_live_lines() {
    if (drawn_ > 0) {
      fmt::print(out_, "\x1B[{}A\r\x1B[J", drawn_);
      drawn_ = 0;
    }
  }

  void draw_live_lines() {
    for (const std::string& line : live_lines()) {
      fmt::print(out_, "{}\n", line);
      ++drawn_;
    }
    std::fflush(out_);
  }

  void redraw() {
    erase_live_lines();
    draw_live_lines();
  }

  void print(std::string_view line) {
    erase_live_lines();
    fmt::print(out_, "{}\n", line);
    draw_live_lines();
  }

  void schedule_redraw() {
    timer_.expires_after(k_redraw_period);
    timer_.async_wait([this](boost::system::error_code code) {
      if (!code && is_step_running_) {
        redraw();
        schedule_redraw();
      }
    });
  }

  std::FILE* out_;
  boost::asio::steady_timer timer_;
  std::size_t total_ = 0;
  std::size_t current_ = 0;
  StepInfo step_;
  Clock::time_point step_started_;
  bool is_step_running_ = false;
  std::map<int, Vertex> running_;  // by number
  int drawn_ = 0;  // live lines on the screen now
};

}  // namespace

std::unique_ptr<pipeline::RunObserver> make_tty_progress(
    std::FILE* out, boost::asio::any_io_executor executor) {
  return std::make_unique<TtyProgress>(out, std::move(executor));
}

}  // namespace freshet::cli
