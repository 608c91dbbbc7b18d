// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/transfer_report.hpp"

#include "freshet/base/text.hpp"
#include "freshet/engine/docker/json_access.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace freshet::engine {
namespace {

constexpr std::size_t k_max_line_bytes = 512;
constexpr std::string_view k_retrying = "Retrying in ";  // counted down, a report each second

/// How a layer ends. What is between (`Preparing`, `Waiting`, a report for each few percent) would
/// fill a log with nothing.
constexpr std::array<std::string_view, 7> k_worth_reading{
    "Pushed",
    "Layer already exists",
    "Mounted from ",
    "Pull complete",
    "Already exists",
    "Pulling from ",
    "Skipped foreign layer",
};

bool is_worth_reading(std::string_view status) {
  return std::any_of(k_worth_reading.begin(), k_worth_reading.end(), [&](std::string_view prefix) {
    return status.starts_with(prefix);
  });
}

}  // namespace

TransferReport::TransferReport(ProgressLine on_progress)
    : on_progress_(std::move(on_progress)),
      objects_([this](const json::object& object) { take(object); }) {}

void TransferReport::feed(std::string_view bytes) {
  objects_.feed(bytes);
}

void TransferReport::finish() {
  objects_.finish();
}

void TransferReport::take(const json::object& object) {
  std::string failure = text_at(object_at(object, "errorDetail"), "message");
  if (failure.empty()) {
    failure = text_at(object, "error");
  }
  if (!failure.empty() && failure_.empty()) {
    failure_ = std::move(failure);
  }
  const json::object& aux = object_at(object, "aux");
  if (aux.contains("Digest")) {
    pushed_.digest = text_at(aux, "Digest");
    pushed_.manifest_size_bytes = number_at(aux, "Size");
  }
  if (flag_at(aux, "manifestPushedInsteadOfIndex")) {
    pushed_.index_digest = text_at(object_at(aux, "originalIndex"), "digest");
  }
  const std::string status = text_at(object, "status");
  if (!object.contains("id")) {
    take_digest(status);
  }
  if (!status.empty() && on_progress_) {
    tell(text_at(object, "id"), status);
  }
}

/// With containerd's image store a push ends by this line alone: `v1: digest: sha256:… size: 855`.
void TransferReport::take_digest(std::string_view status) {
  static const RE2 k_end(R"(^\S+: digest: (sha256:[0-9a-f]{64}) size: (\d+)$)");
  re2::StringPiece text(status.data(), status.size());
  std::string digest;
  std::uint64_t size_bytes = 0;
  if (pushed_.digest.empty() && RE2::FullMatch(text, k_end, &digest, &size_bytes)) {
    pushed_.digest = std::move(digest);
    pushed_.manifest_size_bytes = size_bytes;
  }
}

void TransferReport::tell(const std::string& id, const std::string& status) {
  if (id.empty()) {
    on_progress_(printable(status, k_max_line_bytes));
    return;
  }
  const bool is_retrying = status.starts_with(k_retrying);
  std::string& last = last_[id];
  if ((!is_retrying && !is_worth_reading(status)) ||
      (is_retrying && last.starts_with(k_retrying))) {
    return;
  }
  if (last != status) {
    last = status;
    on_progress_(printable(fmt::format("{}: {}", id, status), k_max_line_bytes));
  }
}

}  // namespace freshet::engine
