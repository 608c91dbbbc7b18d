// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_progress.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace freshet::pipeline {
namespace {

constexpr auto k_worth_telling_again = std::chrono::milliseconds(50);

bool makes_layer(std::string_view name) {
  const std::size_t end = name.find("] ");
  if (!name.starts_with('[') || end == std::string_view::npos || name.starts_with("[internal]")) {
    return false;
  }
  const std::string_view instruction = name.substr(end + 2);
  constexpr std::array k_keywords{"RUN ", "COPY ", "ADD ", "WORKDIR "};
  return std::any_of(k_keywords.begin(), k_keywords.end(), [&](std::string_view keyword) {
    return instruction.starts_with(keyword);
  });
}

}  // namespace

void BuildProgress::apply(const engine::ProgressUpdate& update) {
  for (const engine::Vertex& vertex : update.vertices) {
    apply_vertex(vertex);
  }
  for (const engine::VertexStatus& status : update.statuses) {
    apply_status(status);
  }
  for (const engine::VertexLog& log : update.logs) {
    log_.feed(known(log.vertex).number, log.bytes);
  }
  for (const engine::BuildWarning& warning : update.warnings) {
    const std::string where =
        warning.line > 0 ? fmt::format(" (Dockerfile line {})", warning.line) : "";
    log_.line(fmt::format("warning: {}{}", warning.text, where));
  }
}

void BuildProgress::begin_again() {
  for (auto& [digest, vertex] : vertices_) {
    vertex.is_told_done = false;
    vertex.is_cached = false;
    vertex.has_failed = false;
    vertex.duration = {};
  }
}

BuildProgress::CacheCount BuildProgress::count_cached() const {
  CacheCount count;
  for (const auto& [digest, vertex] : vertices_) {
    if (vertex.is_told_done && makes_layer(vertex.name)) {
      count.total += 1;
      count.cached += vertex.is_cached ? 1 : 0;
    }
  }
  return count;
}

std::vector<cache::VertexTime> BuildProgress::times() const {
  std::vector<cache::VertexTime> times;
  for (const auto& [digest, vertex] : vertices_) {
    if (vertex.is_told_done && !vertex.has_failed) {
      times.push_back(
          {vertex.name, vertex.is_cached ? std::nullopt : std::optional(vertex.duration)});
    }
  }
  return times;
}

BuildProgress::Known& BuildProgress::known(const std::string& digest) {
  Known& vertex = vertices_[digest];
  if (vertex.number == 0) {
    vertex.number = static_cast<int>(vertices_.size());
  }
  return vertex;
}

void BuildProgress::apply_vertex(const engine::Vertex& vertex) {
  if (!vertex.started && !vertex.completed && vertex.error.empty()) {
    return;  // only announced
  }
  Known& seen = known(vertex.digest);
  VertexEvent event;
  event.number = seen.number;
  event.name = vertex.name;
  if (seen.name.empty()) {
    seen.name = vertex.name;
    if (!vertex.completed) {
      log_.vertex(event);
    }
  }
  if (!vertex.completed) {
    return;
  }
  const bool failed = !vertex.error.empty();
  if (vertex.started) {
    event.duration =
        std::chrono::duration_cast<std::chrono::milliseconds>(*vertex.completed - *vertex.started);
  }
  // A context is looked up first, which takes no time, and then loaded, which does.
  const bool took_longer = event.duration >= seen.duration + k_worth_telling_again;
  // What was found in the cache is loaded afterwards, which some builders tell without the mark.
  const bool is_cached = seen.is_cached || vertex.cached;
  const bool is_news =
      !seen.is_told_done || seen.is_cached != is_cached || seen.has_failed != failed || took_longer;
  if (!is_news) {
    return;
  }
  seen.is_told_done = true;
  seen.is_cached = is_cached;
  seen.has_failed = failed;
  seen.duration = event.duration;
  event.state = failed ? VertexEvent::State::failed : VertexEvent::State::completed;
  event.cached = is_cached;
  log_.vertex(event);
}

void BuildProgress::apply_status(const engine::VertexStatus& status) {
  if (status.is_complete || status.current == 0) {
    return;
  }
  const auto current = static_cast<std::uint64_t>(status.current);
  const std::string amount = status.total > 0
                                 ? fmt::format(
                                       "{} of {}",
                                       human_size(current),
                                       human_size(static_cast<std::uint64_t>(status.total)))
                                 : human_size(current);
  log_.vertex_status(
      known(status.vertex).number, fmt::format("{} {} {}", status.name, status.id, amount));
}

}  // namespace freshet::pipeline
