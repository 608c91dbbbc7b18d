// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/key_graph.hpp"
#include "freshet/engine/docker/image_outlet.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/pull.hpp"
#include "freshet/store/cache_index.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::pipeline {

/// A past image that a registry has now, and that a build may take layers of.
struct CacheSource {
  std::string name;  // `domain/path@sha256:…`
  engine::OfferedImage image;
};

struct CacheSources {
  std::vector<CacheSource> list;  // best first
  /// How long each may yet keep the build waiting.
  Ctx::Clock::duration patience{};
};

/// As whom a step looks at the index of past images.
store::CacheReader make_cache_reader(const StepScope& scope);

/// Finds the past images that spare a build of `graph` the most time, of all that the index knows.
/// Each is asked for at its registry, and its configuration is compared with what is recorded of
/// its layers. What is wrong with one is told in the log and is no trouble for another one; in all
/// this takes registries as long as `time_left` says, and 4 seconds at most. Without any, the log
/// says so in one line.
Awaitable<CacheSources> find_cache_sources(
    Ctx ctx,
    StepScope scope,
    cache::KeyGraph graph,
    PullOptions options,
    Ctx::Clock::duration time_left);

/// What the index says of the layers of a past image.
struct ClaimedLayers {
  std::vector<std::string> all;  // diff ids
  std::vector<std::string> wanted;  // those that the build is to be spared
};

/// Why layers of an image cannot be taken as those of the recorded instructions: its configuration
/// has other ones, or tells builders nothing of any that is wanted. Empty: they can. Throws
/// corrupt_data for what is no configuration. Pure.
std::string why_no_cache(std::string_view config, const ClaimedLayers& claimed);

}  // namespace freshet::pipeline
