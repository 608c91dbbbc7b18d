// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/status_stream.hpp"

namespace freshet::engine {
namespace {

namespace wire = moby::buildkit::v1;

BuildTime to_time(const google::protobuf::Timestamp& stamp) {
  return BuildTime(std::chrono::seconds(stamp.seconds()) + std::chrono::nanoseconds(stamp.nanos()));
}

Vertex to_vertex(const wire::Vertex& from) {
  Vertex out;
  out.digest = from.digest();
  out.name = from.name();
  out.cached = from.cached();
  if (from.has_started()) {
    out.started = to_time(from.started());
  }
  if (from.has_completed()) {
    out.completed = to_time(from.completed());
  }
  out.error = from.error();
  return out;
}

VertexStatus to_status(const wire::VertexStatus& from) {
  VertexStatus out;
  out.vertex = from.vertex();
  out.id = from.id();
  out.name = from.name();
  out.current = from.current();
  out.total = from.total();
  out.is_complete = from.has_completed();
  return out;
}

BuildWarning to_warning(const wire::VertexWarning& from) {
  BuildWarning out;
  out.vertex = from.vertex();
  out.text = from.short_text();
  out.url = from.url();
  out.line = from.ranges().empty() ? 0 : from.ranges(0).start().line();
  return out;
}

bool was_cancelled(std::string_view error) {
  return error.ends_with("context canceled");
}

}  // namespace

ProgressUpdate to_progress(const wire::StatusResponse& response) {
  constexpr std::int64_t k_stderr = 2;
  ProgressUpdate out;
  for (const wire::Vertex& vertex : response.vertexes()) {
    out.vertices.push_back(to_vertex(vertex));
  }
  for (const wire::VertexStatus& status : response.statuses()) {
    out.statuses.push_back(to_status(status));
  }
  for (const wire::VertexLog& log : response.logs()) {
    out.logs.push_back(VertexLog{log.vertex(), log.stream() == k_stderr, log.msg()});
  }
  for (const wire::VertexWarning& warning : response.warnings()) {
    out.warnings.push_back(to_warning(warning));
  }
  return out;
}

void FailedVertices::note(const ProgressUpdate& update) {
  const std::lock_guard lock(mutex_);
  for (const Vertex& vertex : update.vertices) {
    Record& record = records_[vertex.digest];
    record.name = vertex.name;
    if (!vertex.error.empty() && record.error.empty()) {
      record.order = ++failures_;
    }
    record.error = vertex.error;
  }
}

FailedVertices::Failure FailedVertices::find(
    std::string_view digest, std::string_view message) const {
  const std::lock_guard lock(mutex_);
  if (const auto known = records_.find(digest); known != records_.end()) {
    return Failure{known->second.name, known->second.error};
  }
  const Record* best = nullptr;
  for (const auto& [key, record] : records_) {
    if (record.error.empty() || was_cancelled(record.error)) {
      continue;
    }
    if (message.find(record.error) != std::string_view::npos) {
      return Failure{record.name, record.error};
    }
    if (best == nullptr || record.order < best->order) {
      best = &record;
    }
  }
  return best == nullptr ? Failure{} : Failure{best->name, best->error};
}

}  // namespace freshet::engine
