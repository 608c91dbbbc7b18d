// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_explain.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cache/choice.hpp"
#include "freshet/cache/miss_reason.hpp"
#include "freshet/cache/remembered_build.hpp"
#include "freshet/oci/digest.hpp"
#include "freshet/pipeline/steps/cache_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace freshet::pipeline {
namespace {

fs::path file_of(const StepScope& scope) {
  const std::string name = fmt::format("{}\n{}", scope.run.build().pipeline, scope.step.name);
  const std::string hex(oci::Digest::of(name).hex().substr(0, 40));
  return scope.services.data.path() / "built" / (hex + ".json");
}

constexpr std::size_t k_max_shown = 80;  // bytes of an instruction
constexpr std::size_t k_max_told = 10;  // stages

/// `text`: that of the instruction, without secrets; what is cut cannot be masked any more.
std::string describe(
    const cache::KeyedBuild& build, const cache::MissReason& reason, const std::string& text) {
  const cache::KeyNode& node = build.graph.nodes[reason.node];
  return fmt::format(
      "Not in past images: {}, line {} and on: {}: {}",
      build.graph.stages[node.stage],
      node.line,
      printable(text, k_max_shown),
      reason.text);
}

using Mask = std::function<std::string(const std::string&)>;

/// Blocking.
std::vector<std::string> find_misses(
    const cache::KeyedBuild& build,
    const store::CacheReader& reader,
    store::CacheIndex& index,
    const fs::path& last_file,
    const Mask& mask) {
  cache::Choice choice = cache::choose_sources(build.graph, reader, index);
  const auto last = cache::RememberedBuild::load(last_file);
  if (!last && choice.sources.empty()) {
    return {"Not in past images: any of the instructions"};
  }
  const std::size_t count = choice.misses.size();
  choice.misses.resize(std::min(count, k_max_told));
  const cache::RememberedBuild current = cache::remember(build, mask);
  const auto reasons = cache::explain_misses(build, choice, current, last ? &*last : nullptr);
  std::vector<std::string> lines;
  for (const cache::MissReason& reason : reasons) {
    lines.push_back(describe(build, reason, current.instructions[reason.node].text));
  }
  if (count > k_max_told) {
    lines.push_back(fmt::format("Not in past images: parts of {} more stages", count - k_max_told));
  }
  return lines;
}

/// Does blocking work that may fail.
template <class Work>
Awaitable<void> try_to(StepScope scope, std::string what, Work work) {
  std::string problem;
  try {
    co_await offload(scope.services.pool, work);
  } catch (const Error& error) {
    problem = error.message();
  }
  if (!problem.empty()) {
    scope.log.line(fmt::format("warning: cannot {}: {}", what, problem));
  }
}

Mask mask_of(const StepScope& scope) {
  return [masker = &scope.run.masker()](const std::string& text) { return masker->mask(text); };
}

}  // namespace

Awaitable<void> explain_misses(StepScope scope, const BuildKey& key) {
  if (!key.instructions) {
    co_return;
  }
  const store::CacheReader reader = make_cache_reader(scope);
  std::vector<std::string> lines;
  auto work = [&lines,
               reader,
               build = key.instructions,
               index = &scope.services.data.cache_index(),
               file = file_of(scope),
               mask = mask_of(scope)] { lines = find_misses(*build, reader, *index, file, mask); };
  co_await try_to(scope, "tell what past images lack", std::move(work));
  for (const std::string& line : lines) {
    scope.log.line(line);
  }
}

Awaitable<void> remember_build(StepScope scope, const BuildKey& key) {
  if (!key.instructions) {
    co_return;
  }
  auto work = [build = key.instructions, file = file_of(scope), mask = mask_of(scope)] {
    cache::remember(*build, mask).save(file);
  };
  co_await try_to(scope, "keep what this build was made of", std::move(work));
}

}  // namespace freshet::pipeline
