// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/commands/registry_images.hpp"

#include "freshet/cli/image_places.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/cli/table.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/registries/connections.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <vector>

namespace freshet::cli {
namespace {

constexpr auto k_listing_limit = std::chrono::minutes(2);

struct ListedImage {
  std::string repository;
  std::string tag;
  std::string digest;
};

std::string reference_of(const model::RegistryIntegration& registry, const ListedImage& image) {
  return fmt::format("{}/{}:{}", registry.domain, image.repository, image.tag);
}

/// Everything that the registry says it has below the integration's prefix.
Awaitable<std::vector<ListedImage>> read_images(
    Ctx ctx, oci::RegistryClient& client, const std::string& prefix) {
  std::vector<ListedImage> images;
  for (const std::string& repository : co_await client.list_repositories(ctx)) {
    if (!prefix.empty() && !repository.starts_with(prefix + "/")) {
      continue;
    }
    for (const std::string& tag : co_await client.list_tags(ctx, repository)) {
      const auto manifest = co_await client.find_manifest(ctx, repository, tag);
      if (manifest) {  // else it was deleted meanwhile
        images.push_back({repository, tag, manifest->digest.to_string()});
      }
    }
  }
  co_return images;
}

}  // namespace

int list_registry_images(Runtime& runtime, const std::string& name, bool as_json) {
  const model::RegistryIntegration registry = runtime.integrations().get(name);
  require_in_reach(registry);
  const Ctx ctx = Ctx{}.within(k_listing_limit);
  const auto client = runtime.wait(runtime.connections().client(ctx, registry));
  const std::vector<ListedImage> images = runtime.wait(in_context(
      fmt::format("reading what registry '{}' has", registry.name),
      read_images(ctx, *client, registry.repository_prefix)));
  if (as_json) {
    return print_json_list("images", images, [&registry](const ListedImage& image) {
      return boost::json::object{
          {"reference", reference_of(registry, image)},
          {"repository", image.repository},
          {"tag", image.tag},
          {"digest", image.digest},
      };
    });
  }
  if (images.empty()) {
    fmt::print(
        "Registry '{}' has no images{}\n",
        registry.name,
        registry.repository_prefix.empty()
            ? ""
            : fmt::format(" below '{}'", registry.repository_prefix));
    return 0;
  }
  Table table({"IMAGE", "DIGEST"});
  for (const ListedImage& image : images) {
    table.add({reference_of(registry, image), image.digest});
  }
  table.print(stdout);
  return 0;
}

}  // namespace freshet::cli
