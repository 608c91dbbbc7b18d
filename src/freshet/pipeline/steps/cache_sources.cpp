// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/cache_sources.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cache/choice.hpp"
#include "freshet/cache/inline_cache.hpp"
#include "freshet/oci/copy/layer_hints.hpp"
#include "freshet/oci/copy/parallel.hpp"
#include "freshet/oci/copy/platform_choice.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace freshet::pipeline {
namespace {

constexpr auto k_confirming_limit = std::chrono::seconds(4);
/// What waiting for layers gets in any case.
constexpr auto k_least_patience = std::chrono::seconds(1);
/// How often it is chosen anew because a chosen image turned out to be gone.
constexpr int k_rounds = 3;
constexpr std::size_t k_max_config_bytes = 4UL * 1024 * 1024;

/// One source that was chosen, and what became of it.
struct Candidate {
  cache::Source chosen;
  ClaimedLayers claimed;
  std::optional<CacheSource> found;
  std::string config_digest;
  bool is_gone = false;  // no registry has it any more
};

std::string name_of(const model::ImageCopy& copy) {
  return fmt::format("{}/{}@{}", copy.registry, copy.repository, copy.digest);
}

/// Those of the caching registry first: it is there for this.
Awaitable<std::vector<model::ImageCopy>> order_copies(
    StepScope scope, std::vector<model::ImageCopy> copies) {
  const auto list = [integrations = &scope.services.integrations] { return integrations->list(); };
  const auto all = co_await offload(scope.services.pool, list);
  const auto is_in_cache = [&](const model::ImageCopy& copy) {
    return std::ranges::any_of(all, [&](const model::RegistryIntegration& integration) {
      return integration.is_caching && integration.domain == copy.registry;
    });
  };
  std::ranges::stable_partition(copies, is_in_cache);
  co_return copies;
}

Awaitable<void> note_copy(
    StepScope scope, std::string id, model::ImageCopy copy, std::optional<UnixTime> when) {
  const auto note = [index = &scope.services.data.cache_index(), id, copy, when] {
    index->set_confirmed(id, copy, when);
  };
  co_await offload(scope.services.pool, note);
}

/// The manifest of the image for this machine, byte for byte.
Awaitable<oci::Manifest> get_image_manifest(Ctx ctx, RegistryImage image) {
  oci::RegistryClient& registry = *image.place.registry;
  const std::string digest = image.manifest.digest.to_string();
  oci::Manifest manifest = co_await registry.get_manifest(ctx, image.place.repository, digest);
  const auto parsed = oci::parse_manifest(manifest.bytes, manifest.descriptor.media_type);
  if (parsed.kind == oci::ManifestKind::index) {
    const std::string own = oci::entry_for(parsed, own_platform()).descriptor.digest.to_string();
    manifest = co_await registry.get_manifest(ctx, image.place.repository, own);
  }
  co_return manifest;
}

engine::OfferedImage offer(
    oci::Place place,
    oci::Manifest manifest,
    std::string config,
    const std::vector<oci::ManifestEntry>& layers) {
  engine::OfferedImage offered{std::move(manifest), std::move(config), {}, {}};
  for (const oci::ManifestEntry& layer : layers) {
    offered.layers.push_back(layer.descriptor);
  }
  offered.open = [place](oci::Descriptor layer) {
    return place.registry->open_blob(Ctx(), place.repository, std::move(layer));
  };
  return offered;
}

ClaimedLayers claims_of(const cache::Source& source, const cache::KeyGraph& graph) {
  std::set<model::InstructionKey> wanted;
  for (const std::size_t node : source.nodes) {
    wanted.insert(graph.nodes[node].key);
  }
  ClaimedLayers claimed;
  for (const model::PastInstruction& instruction : source.image.instructions) {
    if (!instruction.diff_id.empty()) {
      claimed.all.push_back(instruction.diff_id);
      if (wanted.contains(instruction.key)) {
        claimed.wanted.push_back(instruction.diff_id);
      }
    }
  }
  return claimed;
}

/// Gets what a builder asks for first, and looks whether it is what the index says.
Awaitable<void> load(Ctx ctx, RegistryImage image, Candidate& candidate) {
  oci::Manifest manifest = co_await get_image_manifest(ctx, image);
  const auto parsed = oci::parse_manifest(manifest.bytes, manifest.descriptor.media_type);
  if (!parsed.config) {
    throw Error(ErrorCode::unsupported, "it is no image");
  }
  std::string config = co_await image.place.registry->get_blob(
      ctx, image.place.repository, parsed.config->descriptor, k_max_config_bytes);
  const std::string obstacle = why_no_cache(config, candidate.claimed);
  if (!obstacle.empty()) {
    throw Error(ErrorCode::corrupt_data, obstacle);
  }
  candidate.config_digest = parsed.config->descriptor.digest.to_string();
  candidate.found = CacheSource{
      image.repo_digest(),
      offer(image.place, std::move(manifest), std::move(config), parsed.layers)};
}

/// Whether the copy is there; what is wrong with one that is, is thrown.
Awaitable<bool> try_copy(
    Ctx ctx, StepScope scope, model::ImageCopy copy, PullOptions options, Candidate& candidate) {
  oci::Reference reference = oci::Reference::parse(name_of(copy));
  auto image = co_await find_by_digest(ctx, scope, std::move(reference), std::move(options));
  if (!image) {
    co_await note_copy(scope, candidate.chosen.image.id, copy, std::nullopt);
    co_return false;
  }
  co_await note_copy(scope, candidate.chosen.image.id, copy, now());
  co_await load(ctx, std::move(*image), candidate);
  co_return true;
}

/// Finds the first copy that can be had. What is wrong with those before it is told.
Awaitable<void> confirm(Ctx ctx, StepScope scope, PullOptions options, Candidate& candidate) {
  const auto copies = co_await order_copies(scope, candidate.chosen.image.copies);
  bool is_any_left = false;
  for (const model::ImageCopy& copy : copies) {
    std::string problem;
    try {
      auto trying = try_copy(ctx, scope, copy, options, candidate);
      const bool is_there = co_await with_deadline(
          ctx, fmt::format("waiting for {}", copy.registry), std::move(trying));
      if (is_there) {
        co_return;
      }
      problem = "its registry does not have it any more";
    } catch (const Error& error) {
      is_any_left = true;
      problem = error.message();
    }
    scope.log.line(fmt::format("warning: cannot use {} as cache: {}", name_of(copy), problem));
  }
  candidate.is_gone = !is_any_left;
}

/// How many of the instructions that a build of `graph` might have to run.
std::string coverage_of(const cache::Source& source, const cache::KeyGraph& graph) {
  return fmt::format(
      "{} of {} instruction{}, {}",
      source.nodes.size(),
      graph.nodes.size(),
      graph.nodes.size() == 1 ? "" : "s",
      human_duration(source.savings.time));
}

Awaitable<void> tell(
    Ctx ctx,
    StepScope scope,
    const cache::KeyGraph& graph,
    const Candidate& candidate,
    bool is_first) {
  const std::string& name = candidate.found->name;
  bool is_in_engine = false;
  for (const std::string& known : {candidate.config_digest, name}) {
    const auto image = co_await scope.services.engine.find_image(ctx, known);
    is_in_engine = is_in_engine || image.has_value();
  }
  if (is_in_engine) {
    scope.log.line(
        fmt::format("Previous built image: {} exists on the daemon, used as cache", name));
  } else {
    scope.log.line(fmt::format("Pulling previous built image: {} to use it as cache", name));
  }
  const std::string& branch = candidate.chosen.image.branch;
  scope.log.line(fmt::format(
      "It spares {}: {}{}",
      coverage_of(candidate.chosen, graph),
      is_first ? "more than any other past image" : "beyond those before it",
      branch.empty() ? "" : fmt::format(" (of branch '{}')", branch)));
}

/// One build's search.
class Search {
 public:
  Search(Ctx ctx, StepScope scope, cache::KeyGraph graph, PullOptions options)
      : ctx_(ctx), scope_(scope), graph_(std::move(graph)), options_(std::move(options)) {}

  /// Those that were found, best first.
  Awaitable<std::vector<CacheSource>> execute() {
    for (int round = 0; round < k_rounds; ++round) {
      co_await choose();
      co_await confirm_all();
      const bool is_final = std::ranges::none_of(candidates_, &Candidate::is_gone);
      if (is_final || Ctx::Clock::now() >= ctx_.deadline) {
        break;
      }
    }
    std::vector<CacheSource> sources;
    for (Candidate& candidate : candidates_) {
      if (candidate.found) {
        co_await tell(ctx_, scope_, graph_, candidate, sources.empty());
        sources.push_back(std::move(*candidate.found));
      }
    }
    co_return sources;
  }

 private:
  /// What was found of an image that is chosen again stays.
  Awaitable<void> choose() {
    const auto choose = [this, reader = make_cache_reader(scope_)] {
      return cache::choose_sources(graph_, reader, scope_.services.data.cache_index());
    };
    cache::Choice choice = co_await offload(scope_.services.pool, choose);
    std::vector<Candidate> chosen;
    for (cache::Source& source : choice.sources) {
      Candidate candidate;
      const auto before = std::ranges::find_if(candidates_, [&](const Candidate& other) {
        return other.chosen.image.id == source.image.id;
      });
      if (before != candidates_.end()) {
        candidate = std::move(*before);
      }
      candidate.claimed = claims_of(source, graph_);
      candidate.chosen = std::move(source);
      chosen.push_back(std::move(candidate));
    }
    candidates_ = std::move(chosen);
  }

  Awaitable<void> confirm_all() {
    const auto work = [this](std::size_t i) { return confirm_one(candidates_[i]); };
    co_await oci::for_each_at_once(candidates_.size(), candidates_.size(), work);
  }

  Awaitable<void> confirm_one(Candidate& candidate) {
    if (!candidate.found) {
      co_await confirm(ctx_, scope_, options_, candidate);
    }
  }

  Ctx ctx_;
  StepScope scope_;
  cache::KeyGraph graph_;
  PullOptions options_;
  std::vector<Candidate> candidates_;
};

}  // namespace

store::CacheReader make_cache_reader(const StepScope& scope) {
  store::CacheReader reader;
  reader.platform = own_platform();
  reader.pipeline = scope.run.build().pipeline;
  reader.branch = scope.run.git().branch;
  return reader;
}

std::string why_no_cache(std::string_view config, const ClaimedLayers& claimed) {
  std::set<std::string> has;
  for (const oci::Digest& digest : oci::diff_ids_of(config)) {
    has.insert(digest.to_string());
  }
  for (const std::string& diff_id : claimed.all) {
    if (!has.contains(diff_id)) {
      return fmt::format("it lacks the layer {} that is recorded of it", diff_id.substr(0, 19));
    }
  }
  const auto given = cache::find_inline_layers(config);
  const bool is_any_given =
      given && (claimed.wanted.empty() || std::ranges::any_of(claimed.wanted, [&](const auto& id) {
                  return given->contains(id);
                }));
  return is_any_given ? "" : "it tells builders nothing of the layers that are wanted";
}

Awaitable<CacheSources> find_cache_sources(
    Ctx ctx,
    StepScope scope,
    cache::KeyGraph graph,
    PullOptions options,
    Ctx::Clock::duration time_left) {
  const auto started = Ctx::Clock::now();
  CacheSources sources;
  if (time_left <= k_least_patience) {
    scope.log.line("Not looking for previous built images: registries took too long already");
    co_return sources;
  }
  const Ctx limited =
      ctx.within(std::min<Ctx::Clock::duration>(k_confirming_limit, time_left - k_least_patience));
  std::string problem;
  try {
    Search search(limited, scope, std::move(graph), std::move(options));
    sources.list = co_await search.execute();
  } catch (const Error& error) {
    problem = error.message();
  }
  if (!problem.empty()) {
    scope.log.line(fmt::format("warning: cannot look for previous built images: {}", problem));
  } else if (sources.list.empty()) {
    scope.log.line("No previous built image serves as cache");
  }
  const auto left =
      std::max<Ctx::Clock::duration>(time_left - (Ctx::Clock::now() - started), k_least_patience);
  sources.patience = left / std::max<std::size_t>(sources.list.size(), 1);
  co_return sources;
}

}  // namespace freshet::pipeline
