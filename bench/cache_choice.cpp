// SPDX-License-Identifier: Apache-2.0
// Fills an index of past images and times choices from it:
//   cache_choice DIRECTORY IMAGES CHOICES
// DIRECTORY becomes a data directory and is left behind. Prints one JSON object, times in ms.
#include "freshet/base/error.hpp"
#include "freshet/cache/choice.hpp"
#include "freshet/cache/testing/histories.hpp"
#include "freshet/store/stores.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace freshet::cache {
namespace {

using testing::History;
using testing::make_key;

constexpr std::uint64_t k_pipelines = 500;
constexpr std::size_t k_min_instructions = 18;
constexpr std::size_t k_max_instructions = 30;
constexpr History::Shape k_shape{4, 12, 2};

struct Pipeline {
  std::string name;
  History history;
};

/// As many instructions as Dockerfiles of several stages have.
std::vector<Pipeline> make_pipelines() {
  std::vector<Pipeline> out;
  for (std::uint64_t seed = 1; out.size() < k_pipelines; ++seed) {
    History history(seed, k_shape);
    const std::size_t size = history.graph().nodes.size();
    if (size >= k_min_instructions && size <= k_max_instructions) {
      out.push_back({fmt::format("team/pipeline-{}", out.size()), std::move(history)});
    }
  }
  return out;
}

/// A result that every other pipeline's images have; those of even ones never that of odd ones.
model::InstructionKey popular_key(std::size_t pipeline) {
  return make_key({0xFACE, pipeline % 2});
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

struct Filling {
  double milliseconds = 0;
  std::size_t instructions = 0;  // of all images
  std::set<std::uint64_t> keys;
};

Filling fill(store::CacheIndex& index, std::vector<Pipeline>& pipelines, std::size_t images) {
  Filling out;
  for (std::size_t number = 0; number < images; ++number) {
    const std::size_t which = number * 7919 % pipelines.size();
    Pipeline& pipeline = pipelines[which];
    pipeline.history.commit();
    model::PastImage image =
        pipeline.history.image(fmt::format("{:024x}", number), number % 3 != 0);
    image.pipeline = pipeline.name;
    const auto popular = popular_key(which);
    image.instructions.push_back(
        {popular, std::chrono::seconds(20), true, testing::diff_id_of(popular), 1000});
    image.copies[0].digest = testing::diff_id_of(make_key({number}));
    out.instructions += image.instructions.size();
    for (const auto& instruction : image.instructions) {
      out.keys.insert(testing::first_word(instruction.key));
    }
    const auto start = std::chrono::steady_clock::now();
    index.record(image);
    out.milliseconds += milliseconds_since(start);
  }
  return out;
}

struct Build {
  KeyGraph graph;
  store::CacheReader reader;
};

struct Timing {
  std::vector<double> milliseconds;
  double share = 0;  // of the time of the builds that is saved
  std::size_t cut_short = 0;
};

Timing time_choices(
    store::CacheIndex& index, std::size_t count, const std::function<Build(std::size_t)>& next) {
  Timing out;
  double needed = 0;
  double saved = 0;
  for (std::size_t number = 0; number < count; ++number) {
    const Build build = next(number);
    const auto start = std::chrono::steady_clock::now();
    const Choice choice = choose_sources(build.graph, build.reader, index);
    out.milliseconds.push_back(milliseconds_since(start));
    needed += static_cast<double>(choice.needed.time.count());
    saved += static_cast<double>(choice.saved.time.count());
    out.cut_short += choice.is_cut_short ? 1 : 0;
  }
  out.share = needed > 0 ? saved / needed : 0;
  return out;
}

Build next_commit(std::vector<Pipeline>& pipelines, std::size_t number) {
  Pipeline& pipeline = pipelines[number * 7919 % pipelines.size()];
  pipeline.history.commit();
  return {pipeline.history.graph(), {"linux/amd64", "", pipeline.name, pipeline.history.branch()}};
}

/// Has nothing of what was built before but the common instructions, which all images have.
Build new_pipeline(std::size_t number) {
  const History history(1'000'000 + number, k_shape);
  return {history.graph(), {"linux/amd64", "", "team/new", "main"}};
}

/// Takes from two results that half of all images have each, and none has both.
Build torn_build(std::size_t number) {
  Build build = new_pipeline(number);
  KeyGraph& graph = build.graph;
  KeyNode last = graph.nodes.back();
  last.parents = {graph.nodes.size() - 1};
  for (std::size_t which = 0; which < 2; ++which) {
    KeyNode popular;
    popular.key = popular_key(which);
    last.parents.push_back(graph.nodes.size());
    graph.nodes.push_back(popular);
  }
  last.key = make_key({0xDEAD, number});
  graph.targets = {graph.nodes.size()};
  graph.nodes.push_back(last);
  return build;
}

std::string to_json(const Timing& timing) {
  return fmt::format(
      R"({{"milliseconds": [{:.4f}], "share": {:.4f}, "cut_short": {}}})",
      fmt::join(timing.milliseconds, ", "),
      timing.share,
      timing.cut_short);
}

int run(const fs::path& directory, std::size_t images, std::size_t choices) {
  std::vector<Pipeline> pipelines = make_pipelines();
  Filling filling;
  {
    const auto data = store::DataDirectory::open(directory);
    filling = fill(data->cache_index(), pipelines, images);
  }  // closing writes everything into the one file
  const auto bytes = fs::file_size(directory / "freshet.db");
  const auto data = store::DataDirectory::open(directory);
  store::CacheIndex& index = data->cache_index();
  const auto next = [&](std::size_t number) { return next_commit(pipelines, number); };
  const Timing commits = time_choices(index, choices, next);
  const Timing strangers = time_choices(index, choices, new_pipeline);
  const Timing torn = time_choices(index, choices, torn_build);
  fmt::print(
      R"({{"images": {}, "bytes": {}, "record_ms": {:.4f}, "instructions": {:.2f}, )"
      R"("new_keys": {:.2f}, "commit": {}, "new_pipeline": {}, "torn": {}}})"
      "\n",
      images,
      bytes,
      filling.milliseconds / static_cast<double>(images),
      static_cast<double>(filling.instructions) / static_cast<double>(images),
      static_cast<double>(filling.keys.size()) / static_cast<double>(images),
      to_json(commits),
      to_json(strangers),
      to_json(torn));
  return 0;
}

}  // namespace
}  // namespace freshet::cache

int main(int count, char** words) {
  if (count != 4) {
    fmt::print(stderr, "usage: cache_choice DIRECTORY IMAGES CHOICES\n");
    return 2;
  }
  try {
    return freshet::cache::run(words[1], std::stoul(words[2]), std::stoul(words[3]));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
