// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/manifest.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

constexpr std::size_t k_max_depth = 16;  // real ones need six
constexpr std::size_t k_max_shown = 100;

bool is_legacy(std::string_view media_type) {
  return media_type.starts_with("application/vnd.docker.distribution.manifest.v1");
}

void require_known_type(std::string_view media_type) {
  if (is_legacy(media_type)) {
    throw Error(
        ErrorCode::unsupported,
        "the image has a manifest of schema 1, a format that was given up in 2016")
        .with_hint("build it again, or pull and push it with a container engine of today");
  }
  if (std::ranges::find(k_manifest_media_types, media_type) == k_manifest_media_types.end()) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format(
            "the answer is no image manifest but '{}'", printable(media_type, k_max_shown)));
  }
}

[[noreturn]] void corrupt(std::string problem) {
  throw Error(ErrorCode::corrupt_data, "the manifest " + std::move(problem));
}

}  // namespace

void require_sound_manifest(std::string_view bytes, std::string_view media_type) {
  require_known_type(media_type);
  boost::system::error_code failure;
  boost::json::parse_options options;
  options.max_depth = k_max_depth;
  const auto value = boost::json::parse(bytes, failure, {}, options);
  if (failure || !value.is_object()) {
    corrupt("is not a JSON object");
  }
  const boost::json::object& root = value.get_object();
  if (root.contains("manifests") && (root.contains("layers") || root.contains("config"))) {
    corrupt("claims to be an image and an index at once");
  }
  if (root.contains("fsLayers")) {
    corrupt("has parts of the old schema 1");
  }
  const boost::json::value* inner = root.if_contains("mediaType");
  if (inner != nullptr && (!inner->is_string() || inner->get_string() != media_type)) {
    corrupt(fmt::format("says another media type than '{}' about itself", media_type));
  }
  const bool is_index = media_type.find("index") != std::string_view::npos ||
                        media_type.find("list") != std::string_view::npos;
  const std::string_view wanted = is_index ? "manifests" : "layers";
  const boost::json::value* list = root.if_contains(wanted);
  if (list == nullptr || !list->is_array()) {
    corrupt(fmt::format("of type '{}' has no list of {}", media_type, wanted));
  }
}

}  // namespace freshet::oci
