// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/moved_image.hpp"

#include "freshet/base/text.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace freshet::cli {
namespace {

std::string blobs_of(const oci::MoveCounts& counts) {
  std::vector<std::string> parts;
  const auto add = [&](int count, std::string_view what) {
    if (count > 0) {
      parts.push_back(fmt::format("{} {}", count, what));
    }
  };
  add(counts.blobs_uploaded, "uploaded");
  add(counts.blobs_copied, "copied");
  add(counts.blobs_mounted, "mounted from another repository");
  add(counts.blobs_present, "there already");
  return parts.empty() ? "none moved" : join(parts, ", ");
}

}  // namespace

void print_moved(const MovedImage& moved, std::FILE* out) {
  for (const std::string& tag : moved.tags) {
    fmt::print(out, "{:<10} {}:{}\n", "Image", moved.target.name(), tag);
  }
  const oci::MoveReport& report = moved.report;
  fmt::print(out, "{:<10} {}\n", "From", moved.source);
  fmt::print(out, "{:<10} {}\n", "Digest", report.manifest.digest.to_string());
  fmt::print(out, "{:<10} {}\n", "Blobs", blobs_of(report));
  fmt::print(out, "{:<10} {}\n", "Sent", human_size(report.bytes_sent));
  if (report.referrers > 0) {
    fmt::print(out, "{:<10} {} (signatures and the like)\n", "Referrers", report.referrers);
  }
  fmt::print(out, "{:<10} {}\n", "Took", human_duration(moved.duration));
}

boost::json::object to_json(const MovedImage& moved) {
  const oci::MoveReport& report = moved.report;
  boost::json::array references;
  for (const std::string& tag : moved.tags) {
    references.emplace_back(moved.target.name() + ":" + tag);
  }
  return {
      {"source", moved.source},
      {"references", std::move(references)},
      {"digest", report.manifest.digest.to_string()},
      {"media_type", report.manifest.media_type},
      {"blobs",
       {{"uploaded", report.blobs_uploaded},
        {"copied", report.blobs_copied},
        {"mounted", report.blobs_mounted},
        {"present", report.blobs_present}}},
      {"bytes_sent", report.bytes_sent},
      {"referrers", report.referrers},
      {"duration_ms", moved.duration.count()},
  };
}

}  // namespace freshet::cli
