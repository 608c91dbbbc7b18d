// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/manifest.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/oci/strict_json.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace json = boost::json;
namespace {

constexpr std::size_t k_max_depth = 16;  // real ones need six
constexpr std::size_t k_max_shown = 100;
constexpr std::size_t k_max_entries = 10'000;  // real indexes have dozens

void require_known_type(std::string_view media_type) {
  if (is_schema1_type(media_type)) {
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

json::object read_object(std::string_view bytes) {
  if (bytes.size() > k_max_manifest_bytes) {
    throw Error(
        ErrorCode::too_large,
        fmt::format(
            "the manifest has {}, the limit is {}",
            human_size(bytes.size()),
            human_size(k_max_manifest_bytes)));
  }
  const std::string fault = json_fault(bytes, k_max_depth);
  if (fault.starts_with("has")) {
    corrupt(fault);
  }
  auto value = parse_strict_json(bytes, k_max_depth);
  if (!value || !value->is_object()) {
    corrupt("is not a JSON object");
  }
  return std::move(value->get_object());
}

json::object read_sound(std::string_view bytes, std::string_view media_type) {
  require_known_type(media_type);
  json::object root = read_object(bytes);
  if (root.contains("manifests") && (root.contains("layers") || root.contains("config"))) {
    corrupt("claims to be an image and an index at once");
  }
  if (root.contains("fsLayers")) {
    corrupt("has parts of the old schema 1");
  }
  const json::value* inner = root.if_contains("mediaType");
  if (inner != nullptr && (!inner->is_string() || inner->get_string() != media_type)) {
    corrupt(fmt::format("says another media type than '{}' about itself", media_type));
  }
  const std::string_view wanted = is_index_type(media_type) ? "manifests" : "layers";
  const json::value* list = root.if_contains(wanted);
  if (list == nullptr || !list->is_array()) {
    corrupt(fmt::format("of type '{}' has no list of {}", media_type, wanted));
  }
  return root;
}

/// An absent or null member is empty; one of another kind is a fault.
std::string text_of(const json::object& object, std::string_view name, std::string_view where) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) {
    return {};
  }
  if (!value->is_string()) {
    corrupt(fmt::format("has no text as '{}' of its {}", name, where));
  }
  return std::string(value->get_string());
}

std::map<std::string, std::string> annotations_of(
    const json::object& object, std::string_view where) {
  std::map<std::string, std::string> out;
  const json::value* value = object.if_contains("annotations");
  if (value == nullptr || value->is_null()) {
    return out;
  }
  if (!value->is_object()) {
    corrupt(fmt::format("has malformed annotations of its {}", where));
  }
  for (const json::key_value_pair& pair : value->get_object()) {
    out[std::string(pair.key())] =
        text_of(value->get_object(), pair.key(), fmt::format("{}'s annotations", where));
  }
  return out;
}

Descriptor descriptor_of(const json::value& value, std::string_view where) {
  if (!value.is_object()) {
    corrupt(fmt::format("has a malformed {}", where));
  }
  const json::object& object = value.get_object();
  const auto digest = Digest::parse(text_of(object, "digest", where));
  if (!digest) {
    corrupt(fmt::format(
        "has the malformed digest '{}' in its {}",
        printable(text_of(object, "digest", where), k_max_shown),
        where));
  }
  const json::value* size = object.if_contains("size");
  const bool is_size = size != nullptr && (size->is_uint64() || size->is_int64()) &&
                       !(size->is_int64() && size->get_int64() < 0);
  if (!is_size) {
    corrupt(fmt::format("has no size in its {}", where));
  }
  return Descriptor{text_of(object, "mediaType", where), *digest, size->to_number<std::uint64_t>()};
}

bool is_foreign(const json::object& object, std::string_view media_type) {
  const json::value* urls = object.if_contains("urls");
  const bool has_urls = urls != nullptr && urls->is_array() && !urls->get_array().empty();
  return has_urls || media_type.find(".nondistributable.") != std::string_view::npos ||
         media_type.find(".foreign.") != std::string_view::npos;
}

std::optional<Platform> platform_of(const json::object& object, std::string_view where) {
  const json::value* value = object.if_contains("platform");
  if (value == nullptr || value->is_null()) {
    return std::nullopt;
  }
  if (!value->is_object()) {
    corrupt(fmt::format("has a malformed platform of its {}", where));
  }
  const json::object& said = value->get_object();
  return Platform{
      text_of(said, "os", where),
      text_of(said, "architecture", where),
      text_of(said, "variant", where)};
}

ManifestEntry entry_of(const json::value& value, std::string_view where) {
  ManifestEntry entry{descriptor_of(value, where)};
  const json::object& object = value.get_object();
  entry.platform = platform_of(object, where);
  entry.artifact_type = text_of(object, "artifactType", where);
  entry.annotations = annotations_of(object, where);
  entry.is_foreign = is_foreign(object, entry.descriptor.media_type);
  return entry;
}

std::vector<ManifestEntry> entries_of(const json::array& list, std::string_view what) {
  if (list.size() > k_max_entries) {
    corrupt(fmt::format("has {} {}s, the limit is {}", list.size(), what, k_max_entries));
  }
  std::vector<ManifestEntry> out;
  for (const json::value& each : list) {
    out.push_back(entry_of(each, fmt::format("{} {}", what, out.size() + 1)));
  }
  return out;
}

json::object to_json(const ManifestEntry& entry) {
  json::object out{
      {"mediaType", entry.descriptor.media_type},
      {"digest", entry.descriptor.digest.to_string()},
      {"size", entry.descriptor.size_bytes}};
  if (!entry.artifact_type.empty()) {
    out["artifactType"] = entry.artifact_type;
  }
  if (!entry.annotations.empty()) {
    json::object notes;
    for (const auto& [name, value] : entry.annotations) {
      notes[name] = value;
    }
    out["annotations"] = std::move(notes);
  }
  return out;
}

}  // namespace

bool is_schema1_type(std::string_view media_type) {
  return media_type.starts_with("application/vnd.docker.distribution.manifest.v1");
}

bool is_index_type(std::string_view media_type) {
  return media_type == k_manifest_media_types[0] || media_type == k_manifest_media_types[2];
}

std::string Platform::to_string() const {
  const std::string base = os + "/" + architecture;
  return variant.empty() ? base : base + "/" + variant;
}

void require_sound_manifest(std::string_view bytes, std::string_view media_type) {
  read_sound(bytes, media_type);
}

ParsedManifest parse_manifest(std::string_view bytes, std::string_view media_type) {
  const json::object root = read_sound(bytes, media_type);
  ParsedManifest out;
  out.artifact_type = text_of(root, "artifactType", "top");
  out.annotations = annotations_of(root, "top");
  if (const json::value* subject = root.if_contains("subject");
      subject != nullptr && !subject->is_null()) {
    out.subject = descriptor_of(*subject, "subject");
  }
  if (is_index_type(media_type)) {
    out.kind = ManifestKind::index;
    out.manifests = entries_of(root.at("manifests").get_array(), "manifest");
    return out;
  }
  const json::value* config = root.if_contains("config");
  if (config == nullptr) {
    corrupt("of an image names no configuration");
  }
  out.config = entry_of(*config, "configuration");
  out.layers = entries_of(root.at("layers").get_array(), "layer");
  if (out.artifact_type.empty()) {
    out.artifact_type = out.config->descriptor.media_type;
  }
  return out;
}

Manifest make_index(const std::vector<ManifestEntry>& entries) {
  json::array list;
  for (const ManifestEntry& entry : entries) {
    list.push_back(to_json(entry));
  }
  const std::string media_type(k_manifest_media_types[0]);
  const json::object root{
      {"schemaVersion", 2}, {"mediaType", media_type}, {"manifests", std::move(list)}};
  std::string bytes = json::serialize(root);
  const Descriptor descriptor{media_type, Digest::of(bytes), bytes.size()};
  return Manifest{descriptor, std::move(bytes)};
}

}  // namespace freshet::oci
