// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/step_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace freshet::pipeline {

StepLog::StepLog(StepInfo step, const fs::path& file, const Masker& masker, RunObserver& observer)
    : step_(std::move(step)), masker_(masker), observer_(observer) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0) {
    file_.reset(::fdopen(fd, "a"));
  }
  if (!file_) {
    observer_.on_line(
        step_,
        0,
        fmt::format(
            "warning: cannot keep the log in '{}': {}", file.string(), std::strerror(errno)));
  }
}

void StepLog::line(std::string_view text) {
  emit(0, masker_.mask(text));
  flush();
}

void StepLog::keep(std::string_view text) {
  write(text);
  flush();
}

void StepLog::feed(int source, std::string_view bytes) {
  auto found = splitters_.find(source);
  if (found == splitters_.end()) {
    const int vertex = source > 0 ? source : 0;
    // A long line comes in pieces, and a secret may stand where two of them meet.
    LineSplitter splitter(
        [this, vertex](const LinePiece& piece) {
          emit(vertex, masker_.mask(piece.surroundings, piece.begin, piece.end));
        },
        [this] { return masker_.margin(); });
    found = splitters_.emplace(source, std::move(splitter)).first;
  }
  found->second.feed(bytes);
  flush();
}

void StepLog::finish() {
  for (auto& [source, splitter] : splitters_) {
    splitter.finish();
  }
  splitters_.clear();
  flush();
}

void StepLog::vertex(const VertexEvent& event) {
  VertexEvent masked = event;
  masked.name = masker_.mask(event.name);
  const std::string_view state = masked.state == VertexEvent::State::started  ? "started"
                                 : masked.state == VertexEvent::State::failed ? "FAILED"
                                 : masked.cached                              ? "CACHED"
                                                                              : "done";
  write(fmt::format("#{} {} {}", masked.number, masked.name, state));
  flush();
  observer_.on_vertex(step_, masked);
}

void StepLog::vertex_status(int number, std::string_view status) {
  observer_.on_vertex_status(step_, number, masker_.mask(status));
}

void StepLog::image(const model::ImageRecord& record) {
  observer_.on_image(step_, record);
}

void StepLog::emit(int vertex, std::string_view masked) {
  write(vertex > 0 ? fmt::format("#{} {}", vertex, masked) : std::string(masked));
  observer_.on_line(step_, vertex, masked);
}

void StepLog::flush() {
  if (file_) {
    std::fflush(file_.get());
  }
}

void StepLog::write(std::string_view text) {
  if (!file_) {
    return;
  }
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
      std::fputc('\n', file_.get()) == EOF) {
    const int code = errno;
    file_.reset();
    observer_.on_line(
        step_, 0, fmt::format("warning: the log on disk ends here: {}", std::strerror(code)));
  }
}

}  // namespace freshet::pipeline
