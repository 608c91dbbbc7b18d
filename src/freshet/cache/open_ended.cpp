// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/cache/image_key.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::cache {
namespace {

constexpr std::size_t k_max_shown = 200;

/// What a step adds from elsewhere without saying what it must be; empty when nothing.
std::string find_unpinned_source(const dockerfile::Step& step) {
  const auto* copy = std::get_if<dockerfile::CopyStep>(&step.action);
  if (copy == nullptr || !copy->checksum.empty()) {
    return {};
  }
  const auto is_remote = [](const dockerfile::CopySource& source) {
    return source.kind != dockerfile::SourceKind::path;
  };
  const auto found = std::ranges::find_if(copy->sources, is_remote);
  return found == copy->sources.end() ? std::string() : found->text;
}

/// Without what may be a login or a signature.
std::string shown(std::string url) {
  url.erase(std::min(url.find_first_of("?#"), url.size()));
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = url.find('@', host);
  if (scheme != std::string::npos && at < url.find('/', host)) {
    url.erase(host, at + 1 - host);
  }
  return printable(url, k_max_shown);
}

/// Calls `visit` with the name of every image that a step takes files from.
template <class Visit>
void visit_images(const dockerfile::Step& step, const Visit& visit) {
  const auto visit_source = [&](const dockerfile::Source& source) {
    if (const auto* image = std::get_if<dockerfile::ImageName>(&source)) {
      visit(image->value);
    }
  };
  if (const auto* copy = std::get_if<dockerfile::CopyStep>(&step.action)) {
    visit_source(copy->from);
  } else if (const auto* run = std::get_if<dockerfile::RunStep>(&step.action)) {
    for (const dockerfile::RunMount& mount : run->mounts) {
      visit_source(mount.from);
    }
  }
}

}  // namespace

std::string why_open_ended(const dockerfile::Evaluation& evaluation) {
  for (const dockerfile::EvaluatedStage& stage : evaluation.stages) {
    for (const dockerfile::Step& step : stage.steps) {
      const std::string source = find_unpinned_source(step);
      if (!source.empty()) {
        return fmt::format(
            "line {} adds '{}', which may change elsewhere: give it a --checksum, or COPY it",
            step.at.line,
            shown(source));
      }
    }
  }
  return {};
}

std::vector<std::string> find_images(const dockerfile::Evaluation& evaluation) {
  std::vector<std::string> images;
  const auto add = [&](const std::string& image) {
    if (std::ranges::find(images, image) == images.end()) {
      images.push_back(image);
    }
  };
  for (const dockerfile::EvaluatedStage& stage : evaluation.stages) {
    if (const auto* image = std::get_if<dockerfile::ImageName>(&stage.base)) {
      add(image->value);
    }
    for (const dockerfile::Step& step : stage.steps) {
      visit_images(step, add);
    }
  }
  return images;
}

}  // namespace freshet::cache
