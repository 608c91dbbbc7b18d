// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/registry_image.hpp"

#include "freshet/base/ids.hpp"
#include "freshet/oci/copy/platform_choice.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

namespace json = boost::json;

constexpr std::size_t k_max_config_bytes = 4UL * 1024 * 1024;

std::string_view text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

const json::array& array_at(const json::object& object, std::string_view key) {
  static const json::array k_empty;
  const json::value* value = object.if_contains(key);
  const json::array* array = value != nullptr ? value->if_array() : nullptr;
  return array != nullptr ? *array : k_empty;
}

bool is_empty_layer(const json::object& entry) {
  const json::value* value = entry.if_contains("empty_layer");
  const bool* flag = value != nullptr ? value->if_bool() : nullptr;
  return flag != nullptr && *flag;
}

/// The entry that an engine here would pull; the first image when none is for it.
const oci::ManifestEntry* own_entry(const oci::ParsedManifest& index) {
  const std::string platform = own_platform();
  const auto fits = [&](const oci::ManifestEntry& entry) {
    return entry.platform && entry.platform->os + "/" + entry.platform->architecture == platform;
  };
  const auto found = std::ranges::find_if(index.manifests, fits);
  if (found != index.manifests.end()) {
    return &*found;
  }
  return index.manifests.empty() ? nullptr : &index.manifests.front();
}

std::vector<model::ImageLayer> parse_layers(
    const oci::ParsedManifest& manifest, const json::object& configuration) {
  const json::value* rootfs = configuration.if_contains("rootfs");
  static const json::object k_nothing;
  const json::array& diff_ids = array_at(
      rootfs != nullptr && rootfs->is_object() ? rootfs->get_object() : k_nothing, "diff_ids");
  std::vector<model::ImageLayer> layers;
  std::size_t next = 0;
  for (const json::value& value : array_at(configuration, "history")) {
    const json::object* entry = value.if_object();
    if (entry == nullptr) {
      continue;
    }
    model::ImageLayer layer;
    layer.instruction = text_at(*entry, "created_by");
    if (!is_empty_layer(*entry) && next < manifest.layers.size()) {
      layer.size_bytes = manifest.layers[next].descriptor.size_bytes;
      if (next < diff_ids.size() && diff_ids[next].is_string()) {
        layer.digest = diff_ids[next].get_string();
      }
      ++next;
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

/// Asks for one manifest. A refused login comes without words in answer to HEAD: then the registry
/// is asked about the login itself.
Awaitable<std::optional<oci::Descriptor>> find_manifest(
    Ctx ctx, oci::Place place, std::string reference) {
  constexpr int k_unauthorized = 401;
  std::optional<Error> failure;
  try {
    co_return co_await place.registry->find_manifest(ctx, place.repository, std::move(reference));
  } catch (const Error& error) {
    failure = error;
  }
  if (failure->http_status() == k_unauthorized) {
    co_await place.registry->check_credentials(ctx);
  }
  throw *failure;
}

Awaitable<RegistryImage> find_by(
    Ctx ctx, StepScope scope, registries::PullCandidate way, PullOptions options) {
  oci::Place place;
  place.registry = co_await open_registry(ctx, scope, way, std::move(options));
  place.repository = way.reference.path;
  const std::string reference =
      way.reference.digest ? way.reference.digest->to_string() : way.reference.tag_or_latest();
  std::string frame = fmt::format("looking for {}", way.reference.to_string());
  auto work = find_manifest(ctx, place, reference);
  const auto manifest = co_await in_context(std::move(frame), std::move(work));
  if (!manifest) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("{} has no '{}'", way.reference.domain, way.reference.to_string()));
  }
  co_return RegistryImage{std::move(place), *manifest};
}

/// The manifest that tells most about an image here: of an index, that for this machine, else the
/// first; nullopt for an index without any.
Awaitable<std::optional<oci::ParsedManifest>> get_telling_manifest(Ctx ctx, RegistryImage image) {
  oci::ParsedManifest manifest =
      co_await get_parsed_manifest(ctx, image.place, image.manifest.digest.to_string());
  if (manifest.kind != oci::ManifestKind::index) {
    co_return manifest;
  }
  const oci::ManifestEntry* entry = own_entry(manifest);
  if (entry == nullptr) {
    co_return std::nullopt;
  }
  std::string digest = entry->descriptor.digest.to_string();
  co_return co_await get_parsed_manifest(ctx, image.place, std::move(digest));
}

}  // namespace

Awaitable<RegistryImage> find_registry_image(
    Ctx ctx, StepScope scope, oci::Reference reference, PullOptions options) {
  const std::vector<registries::PullCandidate> ways =
      co_await plan_pull(ctx, scope, reference, options);
  std::optional<Error> told;  // of the reference that the user wrote
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const oci::Reference& asked = ways[i].reference;
    std::optional<Error> failure;
    try {
      co_return co_await find_by(ctx, scope, ways[i], options);
    } catch (const Error& error) {
      failure = error;
    }
    if (i + 1 < ways.size()) {
      scope.log.line(fmt::format(
          "warning: cannot get {}: {}; trying {}",
          asked.to_string(),
          failure->message(),
          ways[i + 1].reference.to_string()));
    }
    if (!told || asked == reference) {
      told = failure;
    }
  }
  throw *told;
}

Awaitable<std::optional<RegistryImage>> find_by_digest(
    Ctx ctx, StepScope scope, oci::Reference reference, PullOptions options) {
  const auto ways = co_await plan_pull(ctx, scope, reference, options);
  const auto own = std::ranges::find_if(ways, [&](const registries::PullCandidate& way) {
    return way.reference == reference && !way.is_mirror;
  });
  if (own == ways.end()) {
    co_return std::nullopt;
  }
  oci::Place place;
  place.registry = co_await open_registry(ctx, scope, *own, std::move(options));
  place.repository = reference.path;
  const auto manifest =
      co_await place.registry->find_manifest(ctx, reference.path, reference.digest->to_string());
  if (!manifest) {
    co_return std::nullopt;
  }
  co_return RegistryImage{std::move(place), *manifest};
}

/// Source: OCI Image Spec 1.1, "Image Index" (GOARCH).
std::string own_platform() {
  utsname names{};
  ::uname(&names);
  const std::string machine = names.machine;
  if (machine == "x86_64") {
    return "linux/amd64";
  }
  return "linux/" + (machine == "aarch64" ? std::string("arm64") : machine);
}

Awaitable<oci::ParsedManifest> get_parsed_manifest(
    Ctx ctx, oci::Place place, std::string reference) {
  const oci::Manifest manifest =
      co_await place.registry->get_manifest(ctx, place.repository, std::move(reference));
  co_return oci::parse_manifest(manifest.bytes, manifest.descriptor.media_type);
}

Awaitable<oci::ParsedManifest> get_own_manifest(Ctx ctx, oci::Place place, std::string reference) {
  oci::ParsedManifest manifest = co_await get_parsed_manifest(ctx, place, std::move(reference));
  if (manifest.kind == oci::ManifestKind::index) {
    const std::string own = oci::entry_for(manifest, own_platform()).descriptor.digest.to_string();
    manifest = co_await get_parsed_manifest(ctx, place, own);
  }
  co_return manifest;
}

Awaitable<std::optional<std::string>> find_internal_image_id(Ctx ctx, RegistryImage image) {
  const auto manifest = co_await get_telling_manifest(ctx, std::move(image));
  if (!manifest || !manifest->config) {
    co_return std::nullopt;
  }
  co_return manifest->config->descriptor.digest.hex();
}

namespace {

std::string find_key_label(std::string_view configuration) {
  boost::system::error_code code;
  const json::value parsed = json::parse(configuration, code);
  boost::system::error_code absent;
  const json::value* labels = code ? nullptr : parsed.find_pointer("/config/Labels", absent);
  const json::object* object = labels == nullptr ? nullptr : labels->if_object();
  return object == nullptr ? std::string() : std::string(text_at(*object, k_key_label));
}

}  // namespace

Awaitable<DescribedImage> describe_registry_image(Ctx ctx, RegistryImage image) {
  const auto manifest = co_await get_telling_manifest(ctx, image);
  if (!manifest || !manifest->config) {
    throw Error(ErrorCode::unsupported, fmt::format("{} has no image in it", image.repo_digest()));
  }
  const std::string configuration = co_await image.place.registry->get_blob(
      ctx, image.place.repository, manifest->config->descriptor, k_max_config_bytes);
  model::ImageRecord record = parse_image_record(*manifest, configuration);
  record.id = make_id();
  record.created_at = now();
  co_return DescribedImage{std::move(record), find_key_label(configuration)};
}

model::ImageRecord parse_image_record(
    const oci::ParsedManifest& manifest, std::string_view configuration) {
  model::ImageRecord record;
  if (manifest.config) {
    record.internal_image_id = manifest.config->descriptor.digest.hex();
  }
  for (const oci::ManifestEntry& layer : manifest.layers) {
    record.size_bytes += layer.descriptor.size_bytes;
  }
  boost::system::error_code code;
  const json::value parsed = json::parse(configuration, code);
  const json::object* object = code ? nullptr : parsed.if_object();
  if (object == nullptr) {
    throw Error(ErrorCode::corrupt_data, "the configuration of the image is no JSON object");
  }
  record.os = text_at(*object, "os");
  record.architecture = text_at(*object, "architecture");
  record.layers = parse_layers(manifest, *object);
  return record;
}

}  // namespace freshet::pipeline
