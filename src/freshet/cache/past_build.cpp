// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/past_build.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/lookup.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace freshet::cache {
namespace {

/// The durations of the instructions that ran, by their first line.
std::map<std::size_t, std::chrono::milliseconds> find_costs(
    const std::vector<dockerfile::Instruction>& instructions,
    const std::vector<VertexTime>& times) {
  std::map<std::size_t, std::chrono::milliseconds> costs;
  for (const VertexTime& time : times) {
    const auto* instruction = dockerfile::find_instruction(instructions, time.name);
    if (instruction != nullptr && time.duration && instruction->line > 0) {
      costs[static_cast<std::size_t>(instruction->line)] = *time.duration;
    }
  }
  return costs;
}

std::string_view keyword_of(std::string_view text) {
  return text.substr(0, text.find(' '));
}

/// Whether a line of an image's history made a layer.
bool made_layer(const model::ImageLayer& line) {
  const std::string_view keyword = keyword_of(line.instruction);
  if (keyword == "WORKDIR") {
    return trim(line.instruction.substr(keyword.size())) != "/";
  }
  return keyword == "RUN" || keyword == "COPY" || keyword == "ADD" || line.size_bytes > 0;
}

}  // namespace

std::optional<std::vector<model::PastInstruction>> describe_instructions(
    const KeyedBuild& build,
    const std::vector<dockerfile::Instruction>& instructions,
    const std::vector<VertexTime>& times) {
  const bool is_as_written = std::ranges::all_of(times, [&](const VertexTime& time) {
    return dockerfile::is_counted_as_written(instructions, time.name);
  });
  if (!is_as_written) {
    return std::nullopt;
  }
  const auto costs = find_costs(instructions, times);
  std::vector<model::PastInstruction> out;
  for (std::size_t node = 0; node < build.graph.nodes.size(); ++node) {
    if (!build.inputs[node].is_known) {
      continue;
    }
    model::PastInstruction known;
    known.key = build.graph.nodes[node].key;
    known.is_offered = std::ranges::find(build.chain, node) != build.chain.end();
    if (const auto cost = costs.find(build.graph.nodes[node].line); cost != costs.end()) {
      known.cost = cost->second;
    }
    out.push_back(std::move(known));
  }
  return out;
}

void add_layers(
    std::vector<model::PastInstruction>& known,
    const KeyedBuild& build,
    const std::vector<model::ImageLayer>& history,
    const std::vector<std::string>& diff_ids) {
  std::vector<const model::ImageLayer*> made;
  for (const model::ImageLayer& line : history) {
    if (made_layer(line)) {
      made.push_back(&line);
    }
  }
  const std::size_t count = build.chain.size();
  if (made.size() < count || diff_ids.size() < count) {
    return;
  }
  struct Layer {
    std::string diff_id;
    std::uint64_t size_bytes = 0;
  };
  std::map<model::InstructionKey, Layer> layers;
  for (std::size_t i = 0; i < count; ++i) {
    const KeyNode& node = build.graph.nodes[build.chain[i]];
    const model::ImageLayer& line = *made[made.size() - count + i];
    if (keyword_of(line.instruction) != keyword_of(build.inputs[build.chain[i]].text)) {
      return;
    }
    layers[node.key] = {diff_ids[diff_ids.size() - count + i], line.size_bytes};
  }
  for (model::PastInstruction& instruction : known) {
    if (const auto found = layers.find(instruction.key); found != layers.end()) {
      instruction.diff_id = found->second.diff_id;
      instruction.size_bytes = found->second.size_bytes;
    }
  }
}

}  // namespace freshet::cache
