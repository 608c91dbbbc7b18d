// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/built_before.hpp"

#include "freshet/pipeline/steps/destination.hpp"
#include "freshet/pipeline/steps/image_records.hpp"
#include "freshet/pipeline/steps/publish.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

/// Where a recorded image may be, `preferred` first: where it was pushed last, and the repositories
/// of its names, which mostly have it under the same digest.
std::vector<std::string> places_of(const model::ImageRecord& record, const std::string& preferred) {
  std::vector<std::string> places{record.repo_digest};
  const std::string digest = record.repo_digest.substr(record.repo_digest.find('@'));
  for (const model::ImageTag& tag : record.tags) {
    std::string place = tag.registry + "/" + tag.repository + digest;
    if (std::ranges::find(places, place) == places.end()) {
      places.push_back(std::move(place));
    }
  }
  std::ranges::stable_partition(
      places, [&](const std::string& place) { return place.starts_with(preferred + "@"); });
  return places;
}

/// Finds a registry that has a recorded image; what is wrong with it is told.
Awaitable<std::optional<RegistryImage>> confirm(
    Ctx ctx, StepScope scope, model::ImageRecord record, KeyQuery query) {
  for (const std::string& place : places_of(record, query.preferred)) {
    std::string problem;
    try {
      oci::Reference reference = oci::Reference::parse(place);
      auto image = co_await find_by_digest(ctx, scope, std::move(reference), query.options);
      if (image) {
        co_return image;
      }
    } catch (const Error& error) {
      problem = error.message();
    }
    if (!problem.empty()) {
      scope.log.line(fmt::format("warning: cannot use {}: {}", place, problem));
    }
  }
  scope.log.line(fmt::format(
      "{} was built of the same, but its registry does not have it any more", record.repo_digest));
  co_return std::nullopt;
}

Awaitable<std::optional<BuiltBefore>> find_by_record(Ctx ctx, StepScope scope, KeyQuery query) {
  const auto list = [images = &scope.services.data.images(), key = query.key] {
    return images->list_by_hash(key);
  };
  const auto records = co_await offload(scope.services.pool, list);
  for (const model::ImageRecord& record : records) {
    if (record.repo_digest.empty()) {
      continue;
    }
    auto image = co_await confirm(ctx, scope, record, query);
    if (image) {
      co_return BuiltBefore{std::move(*image), record};
    }
  }
  co_return std::nullopt;
}

/// The caching registry, with the key as a tag of the image there.
struct CachePlace {
  Destination destination;
  oci::Reference reference;
};

Awaitable<std::optional<CachePlace>> find_cache(StepScope scope, KeyQuery query) {
  const auto list = [integrations = &scope.services.integrations] { return integrations->list(); };
  const auto all = co_await offload(scope.services.pool, list);
  const auto caching = std::ranges::find_if(all, &model::RegistryIntegration::is_caching);
  if (caching == all.end()) {
    co_return std::nullopt;
  }
  CachePlace place;
  place.destination = make_destination(scope, *caching, AwsFields());
  // A host in the name is the target's, not the cache's.
  place.reference = compose(
      place.destination,
      query.image_name,
      registries::NameSource::build_candidate,
      query.key,
      scope.step.at);
  co_return place;
}

Awaitable<std::optional<BuiltBefore>> find_in_cache(Ctx ctx, StepScope scope, KeyQuery query) {
  const auto cache = co_await find_cache(scope, query);
  if (!cache) {
    co_return std::nullopt;
  }
  oci::Place place;
  place.registry = co_await open_destination(ctx, scope, cache->destination);
  place.repository = cache->reference.path;
  const auto manifest =
      co_await place.registry->find_manifest(ctx, place.repository, cache->reference.tag);
  if (!manifest) {
    co_return std::nullopt;
  }
  BuiltBefore found{RegistryImage{std::move(place), *manifest}, model::ImageRecord()};
  const DescribedImage described = co_await describe_registry_image(ctx, found.image);
  found.record = described.record;
  const std::string platform = found.record.os + "/" + found.record.architecture;
  if (platform != own_platform() || described.key_label != query.key) {
    scope.log.line(fmt::format(
        "warning: {} is not what a build of the same makes, whatever its tag says",
        cache->reference.to_string()));
    co_return std::nullopt;
  }
  const auto known = co_await find_record(scope, found.record.internal_image_id);
  if (known) {
    found.record = *known;
  }
  co_return found;
}

Awaitable<std::optional<BuiltBefore>> find_anywhere(Ctx ctx, StepScope scope, KeyQuery query) {
  auto recorded = co_await find_by_record(ctx, scope, query);
  if (recorded) {
    co_return recorded;
  }
  co_return co_await find_in_cache(ctx, scope, std::move(query));
}

/// Throws when the registry does not answer before the deadline: pushes have more patience.
Awaitable<void> require_answer(Ctx limited, StepScope scope, CachePlace place) {
  const auto registry = co_await open_destination(limited, scope, place.destination);
  auto asking = registry->find_manifest(limited, place.reference.path, place.reference.tag);
  co_await with_deadline(
      limited, fmt::format("waiting for {}", place.reference.domain), std::move(asking));
}

/// From where it was pushed to, where that is; else from the engine.
Awaitable<Published> put_in_cache(
    Ctx ctx,
    Ctx limited,
    StepScope scope,
    CachePlace place,
    std::string image_id,
    std::string repo_digest) {
  co_await require_answer(limited, scope, place);
  PublishRequest request{place.destination, {place.reference}};
  if (!repo_digest.empty()) {
    oci::Reference pushed = oci::Reference::parse(repo_digest);
    auto image = co_await find_by_digest(ctx, scope, std::move(pushed), PullOptions());
    if (image) {
      co_return co_await publish(ctx, scope, std::move(*image), std::move(request));
    }
  }
  co_return co_await publish(ctx, scope, std::move(image_id), std::move(request));
}

}  // namespace

Awaitable<std::optional<BuiltBefore>> find_built_before(Ctx ctx, StepScope scope, KeyQuery query) {
  auto looking = find_anywhere(ctx, scope, std::move(query));
  std::string problem;
  try {
    co_return co_await with_deadline(ctx, "looking for an image built before", std::move(looking));
  } catch (const Error& error) {
    problem = error.message();
  }
  scope.log.line(fmt::format("warning: cannot look for an image built before: {}", problem));
  co_return std::nullopt;
}

Awaitable<std::optional<std::string>> keep_in_cache(
    Ctx ctx,
    Ctx limited,
    StepScope scope,
    KeyQuery query,
    std::string image_id,
    std::string repo_digest) {
  std::string problem;
  try {
    const auto place = co_await find_cache(scope, std::move(query));
    if (!place) {
      co_return std::nullopt;
    }
    const Published published = co_await put_in_cache(
        ctx, limited, scope, *place, std::move(image_id), std::move(repo_digest));
    co_return published.repo_digest;
  } catch (const Error& error) {
    problem = error.message();
  }
  scope.log.line(fmt::format("warning: the caching registry did not take the image: {}", problem));
  co_return std::nullopt;
}

}  // namespace freshet::pipeline
