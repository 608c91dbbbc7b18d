// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/instruction_keys.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/cache/canonical.hpp"
#include "freshet/cache/context_files.hpp"
#include "freshet/cache/instruction_says.hpp"
#include "freshet/oci/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace freshet::cache {
namespace {

/// A new number where what keys are made of changes: keys of before are no keys then.
constexpr std::string_view k_format = "freshet instruction key 1";

std::string hex_of(const model::InstructionKey& key) {
  return to_hex({reinterpret_cast<const char*>(key.data()), key.size()});
}

model::InstructionKey parse_key(const oci::Digest& digest) {
  const std::string_view hex = digest.hex();
  model::InstructionKey key{};
  FRESHET_ASSERT(hex.size() == 2 * key.size());
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<std::uint8_t>(value(hex[2 * i]) * 16 + value(hex[2 * i + 1]));
  }
  return key;
}

/// Feeds a hash with lists, each with the number of its members in front.
class KeyHash {
 public:
  void add(std::string_view text) {
    CanonicalList one;
    one.add(text);
    hasher_.update(one.bytes());
  }
  void begin_list(std::size_t size) { add(std::to_string(size)); }
  model::InstructionKey finish() { return parse_key(hasher_.finish()); }

 private:
  oci::DigestHasher hasher_;
};

/// `before`: the key of what is before it in its stage; empty: nothing.
model::InstructionKey hash(
    const InstructionInputs& inputs,
    const std::string& before,
    const std::vector<ContextEntry>& context) {
  KeyHash key;
  key.add(k_format);
  key.add(before);
  key.begin_list(inputs.says.size());
  for (const auto& [name, value] : inputs.says) {
    key.add(name);
    key.add(value);
  }
  key.add(inputs.variables);
  key.begin_list(inputs.origins.size());
  for (const Origin& origin : inputs.origins) {  // what they are called makes no difference
    key.add(origin.kind == Origin::Kind::image ? "image" : "stage");
    key.add(origin.value);
  }
  key.begin_list(inputs.files.size());
  for (const std::size_t file : inputs.files) {
    key.add(context[file].path);
    key.add(context[file].state);
  }
  return key.finish();
}

class KeyMaker {
 public:
  KeyMaker(const dockerfile::Evaluation& evaluation, BuildFacts facts)
      : evaluation_(evaluation), facts_(std::move(facts)), files_(facts_.context) {}

  KeyedBuild run() {
    for (const dockerfile::EvaluatedStage& stage : evaluation_.stages) {
      add_stage(stage);
    }
    if (!evaluation_.stages.empty()) {
      const End& end = ends_.at(evaluation_.stages.back().index);
      if (end.node) {
        out_.graph.targets = {*end.node};
      }
      for (std::optional<std::size_t> node = end.node; node; node = before_[*node]) {
        out_.chain.push_back(*node);
      }
      std::ranges::reverse(out_.chain);
    }
    out_.context = std::move(facts_.context);
    return std::move(out_);
  }

 private:
  /// How far a stage is.
  struct End {
    std::optional<std::size_t> node;  // the last one; nullopt: it still is what it starts from
    Origin start;
    std::string name;
  };

  void add_stage(const dockerfile::EvaluatedStage& stage) {
    stage_ = &stage;
    out_.graph.stages.push_back(
        stage.name.empty() ? fmt::format("stage-{}", stage.index) : stage.name);
    End end;
    if (const auto* base = std::get_if<dockerfile::StageIndex>(&stage.base)) {
      end = ends_.at(base->value);
    } else if (const auto* image = std::get_if<dockerfile::ImageName>(&stage.base)) {
      end.start = origin_of(image->value);
    } else {
      end.start = {Origin::Kind::image, "scratch", "scratch " + stage.platform.to_string(), true};
    }
    end.name = out_.graph.stages.back();
    for (const dockerfile::Step& step : stage.steps) {
      std::visit([&](const auto& action) { add(step, action, end); }, step.action);
    }
    ends_[stage.index] = std::move(end);
  }

  Origin origin_of(const std::string& image) const {
    const auto found = facts_.images.find(image);
    const bool is_known = found != facts_.images.end();
    const std::string digest =
        is_known ? found->second : fmt::format("{} in build {}", image, facts_.build);
    return {
        Origin::Kind::image,
        image,
        fmt::format("{} {}", digest, stage_->platform.to_string()),
        is_known};
  }

  void add(
      const dockerfile::Step& /*step*/, const dockerfile::ConfigStep& /*config*/, End& /*end*/) {}

  void add(const dockerfile::Step& step, const dockerfile::WorkdirStep& workdir, End& end) {
    if (workdir.directory == "/") {
      return;  // it is there in any image
    }
    KeyNode node;
    InstructionInputs inputs;
    inputs.says = say(workdir);
    add_node(step, std::move(node), std::move(inputs), end);
  }

  void add(const dockerfile::Step& step, const dockerfile::CopyStep& copy, End& end) {
    KeyNode node;
    InstructionInputs inputs;
    inputs.says = say(copy);
    if (std::holds_alternative<dockerfile::BuildContext>(copy.from)) {
      add_files(files_.copied_by(copy), inputs);
    } else {
      take_from(copy.from, node, inputs);
    }
    const auto is_remote = [](const dockerfile::CopySource& source) {
      return source.kind != dockerfile::SourceKind::path;
    };
    if (copy.checksum.empty() && std::ranges::any_of(copy.sources, is_remote)) {
      inputs.says.emplace_back("build", facts_.build);
      inputs.is_known = false;
    }
    add_node(step, std::move(node), std::move(inputs), end);
  }

  void add(const dockerfile::Step& step, const dockerfile::RunStep& run, End& end) {
    KeyNode node;
    InstructionInputs inputs;
    inputs.says = say(run);
    inputs.scope = run.scope;
    inputs.variables = digest_variables(run.scope);
    for (const dockerfile::RunMount& mount : run.mounts) {
      const bool is_bind = mount.mount.type == dockerfile::MountType::bind;
      if (!std::holds_alternative<dockerfile::BuildContext>(mount.from)) {
        take_from(mount.from, node, inputs);
      } else if (is_bind) {
        add_files(files_.below(mount.mount.source), inputs);
      }
    }
    std::ranges::sort(inputs.files);
    const auto doubled = std::ranges::unique(inputs.files);
    inputs.files.erase(doubled.begin(), doubled.end());
    add_node(step, std::move(node), std::move(inputs), end);
  }

  void add_files(const ContextFiles::Seen& seen, InstructionInputs& inputs) {
    if (seen) {
      inputs.files.insert(inputs.files.end(), seen->begin(), seen->end());
    } else {
      inputs.says.emplace_back("context", digest_context());
    }
  }

  /// Many commands may find the same, and a lot of it.
  const std::string& digest_variables(const std::shared_ptr<const dockerfile::Scope>& scope) {
    std::string& digest = variable_digests_[scope.get()];
    if (digest.empty()) {
      CanonicalList list;
      for (const auto& [name, value] : scope->environment) {
        list.add(name);
        list.add(value);
      }
      digest = oci::Digest::of(list.bytes()).to_string();
    }
    return digest;
  }

  const std::string& digest_context() {
    if (context_digest_.empty()) {
      oci::DigestHasher hasher;
      for (const ContextEntry& entry : facts_.context) {
        CanonicalList line;
        line.add(entry.path);
        line.add(entry.state);
        hasher.update(line.bytes());
      }
      context_digest_ = hasher.finish().to_string();
    }
    return context_digest_;
  }

  void take_from(const dockerfile::Source& source, KeyNode& node, InstructionInputs& inputs) const {
    if (const auto* image = std::get_if<dockerfile::ImageName>(&source)) {
      inputs.origins.push_back(origin_of(image->value));
      return;
    }
    const End& end = ends_.at(std::get<dockerfile::StageIndex>(source).value);
    if (!end.node) {
      inputs.origins.push_back(end.start);
      return;
    }
    const std::string key = hex_of(out_.graph.nodes[*end.node].key);
    inputs.origins.push_back({Origin::Kind::stage, end.name, key, true});
    node.parents.push_back(*end.node);
  }

  void add_node(const dockerfile::Step& step, KeyNode node, InstructionInputs inputs, End& end) {
    std::string before;
    if (end.node) {
      before = hex_of(out_.graph.nodes[*end.node].key);
      node.parents.insert(node.parents.begin(), *end.node);
    } else {
      inputs.origins.insert(inputs.origins.begin(), end.start);
    }
    std::ranges::sort(node.parents);
    const auto doubled = std::ranges::unique(node.parents);
    node.parents.erase(doubled.begin(), doubled.end());
    inputs.text = step.text;
    inputs.is_known = inputs.is_known && std::ranges::all_of(inputs.origins, &Origin::is_known) &&
                      std::ranges::all_of(node.parents, [&](std::size_t parent) {
                        return out_.inputs[parent].is_known;
                      });
    node.key = hash(inputs, before, facts_.context);
    node.stage = out_.graph.stages.size() - 1;
    node.line = static_cast<std::size_t>(std::max(step.at.line, 0));
    before_.push_back(end.node);
    end.node = out_.graph.nodes.size();
    out_.graph.nodes.push_back(std::move(node));
    out_.inputs.push_back(std::move(inputs));
  }

  const dockerfile::Evaluation& evaluation_;
  BuildFacts facts_;
  ContextFiles files_;
  std::string context_digest_;  // once it was needed
  std::map<const dockerfile::Scope*, std::string> variable_digests_;
  const dockerfile::EvaluatedStage* stage_ = nullptr;  // the one that is worked through
  std::map<std::size_t, End> ends_;  // by the index of the stage
  std::vector<std::optional<std::size_t>> before_;  // by node, the one before it
  KeyedBuild out_;
};

}  // namespace

KeyedBuild make_instruction_keys(const dockerfile::Evaluation& evaluation, BuildFacts facts) {
  return KeyMaker(evaluation, std::move(facts)).run();
}

}  // namespace freshet::cache
