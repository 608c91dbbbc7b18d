// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/evaluate.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/stage_evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;
constexpr std::uint64_t k_trigger_units = 256;  // what reading a short one costs
constexpr std::uint64_t k_entry_units = 64;  // what copying an entry of a configuration costs

/// The instruction that a trigger holds. Its mistakes are told at `at`, the FROM that brought it.
std::optional<Instruction> parse_trigger(
    const std::string& text, const SourcePosition& at, Diagnostics& diagnostics) {
  File file = parse("FROM scratch\n" + text, at.file);
  const std::string shown = printable(text, k_max_shown);
  for (const Diagnostic& mistake : file.diagnostics.sorted()) {
    if (mistake.severity == Severity::error) {
      diagnostics.error(
          at, fmt::format("ONBUILD of the base, '{}': {}", shown, mistake.message), mistake.hint);
      return std::nullopt;
    }
  }
  if (file.instructions.size() != 2 || file.instructions[1].keyword == "FROM") {
    diagnostics.error(at, fmt::format("ONBUILD of the base, '{}', is not one instruction", shown));
    return std::nullopt;
  }
  return std::move(file.instructions[1]);
}

/// A stage with everything that is known before its variables are.
struct Plan {
  std::optional<ImageConfig> base_config;
  std::vector<Instruction> triggers;
};

class Evaluator {
 public:
  Evaluator(const File& file, const BuildInputs& inputs, const FindImageConfig& find_config)
      : inputs_(inputs),
        find_config_(find_config),
        globals_(file, inputs, budget_, diagnostics_),
        stages_(file, inputs, globals_, budget_, diagnostics_),
        context_{inputs, globals_, stages_, file.escape, budget_, diagnostics_} {}

  void run(Evaluation& evaluation) {
    if (const auto target = find_target()) {
      plan_from(*target);
      check_others();
      for (const auto& [index, plan] : plans_) {
        evaluation.stages.push_back(evaluate_stage(stages_.all()[index], plan));
      }
    }
  }

  Diagnostics take_diagnostics() { return std::move(diagnostics_); }

 private:
  std::optional<std::size_t> find_target() {
    if (stages_.all().empty()) {
      return std::nullopt;  // told by `parse`
    }
    if (inputs_.target.empty()) {
      return stages_.all().size() - 1;
    }
    const auto target = stages_.find(inputs_.target);
    if (!target) {
      std::vector<std::string> names;
      for (const Stage& stage : stages_.all()) {
        if (!stage.name.empty()) {
          names.push_back(stage.name);
        }
      }
      const auto near = nearest(to_lower(inputs_.target), names);
      diagnostics_.error(
          {},
          fmt::format("there is no stage '{}'", printable(inputs_.target, k_max_shown)),
          near            ? fmt::format("did you mean {}?", *near)
          : names.empty() ? "name a stage: FROM image AS name"
                          : fmt::format("there are {}", join(names, ", ")));
    }
    return target;
  }

  /// Plans the target and all that it needs.
  void plan_from(std::size_t target) {
    std::vector<std::size_t> open{target};
    while (!open.empty()) {
      const std::size_t index = open.back();
      open.pop_back();
      if (plans_.contains(index)) {
        continue;
      }
      const Stage& stage = stages_.all()[index];
      plans_[index] = plan(stage);
      if (const auto* base = std::get_if<StageIndex>(&stage.base)) {
        open.push_back(base->value);
      }
      for (const Instruction& trigger : plans_[index].triggers) {
        add_sources(stage, trigger, stage.from->at, open);
      }
      for (const Instruction* instruction : stage.instructions) {
        add_sources(stage, *instruction, instruction->at, open);
      }
    }
  }

  void add_sources(
      const Stage& stage,
      const Instruction& instruction,
      const SourcePosition& at,
      std::vector<std::size_t>& open) {
    for (const Source& source : stages_.find_sources(instruction)) {
      const auto* needed = std::get_if<StageIndex>(&source);
      if (needed != nullptr && needed->value >= stage.index) {
        const std::string& name = stages_.all()[needed->value].name;
        diagnostics_.error(
            at,
            needed->value == stage.index ? "a stage cannot copy or mount from itself"
                                         : fmt::format(
                                               "the stage '{}' comes later",
                                               name.empty() ? std::to_string(needed->value) : name),
            "move its FROM in front of this stage");
        return;  // one mistake an instruction
      }
      if (needed != nullptr) {
        open.push_back(needed->value);
      }
    }
  }

  /// A stage that is not needed may still name no stage that is not there.
  void check_others() {
    for (const Stage& stage : stages_.all()) {
      for (const Instruction* instruction : stage.instructions) {
        const auto* copy = std::get_if<Copy>(&instruction->body);
        if (!plans_.contains(stage.index) && copy != nullptr && copy->from &&
            !stages_.find_copied(copy->from->text)) {
          diagnostics_.error(
              copy->from->at,
              fmt::format("there is no stage {}", printable(copy->from->text, k_max_shown)));
        }
      }
    }
  }

  Plan plan(const Stage& stage) {
    Plan plan;
    std::vector<std::string> triggers;
    if (const auto* image = std::get_if<ImageName>(&stage.base)) {
      plan.base_config = find_config_(image->value, stage.platform.value_or(inputs_.platform));
      triggers = plan.base_config ? plan.base_config->triggers : triggers;
    } else if (const auto* base = std::get_if<StageIndex>(&stage.base)) {
      for (const Instruction* instruction : stages_.all()[base->value].instructions) {
        if (const auto* onbuild = std::get_if<Onbuild>(&instruction->body)) {
          triggers.push_back(onbuild->trigger);
        }
      }
    }
    for (const std::string& trigger : triggers) {
      budget_.spend(trigger.size() + k_trigger_units);
      if (auto instruction = parse_trigger(trigger, stage.from->at, diagnostics_)) {
        plan.triggers.push_back(std::move(*instruction));
      }
    }
    return plan;
  }

  StageState base_state(const Stage& stage, const Plan& plan) {
    if (const auto* base = std::get_if<StageIndex>(&stage.base)) {
      StageState state = states_[base->value];
      state.config.triggers.clear();
      const ImageConfig& config = state.config;
      budget_.spend(
          (config.environment.size() + config.labels.size() + config.ports.size() +
           config.volumes.size()) *
          k_entry_units);
      for (const auto& [name, value] : state.variables) {
        budget_.spend(name.size() + value.size());
      }
      return state;
    }
    StageState state;
    state.platform = stage.platform.value_or(inputs_.platform);
    if (std::holds_alternative<Scratch>(stage.base)) {
      state.platform = inputs_.platform;
      state.config.directory = "/";
    } else if (plan.base_config) {
      state.config = *plan.base_config;
      state.config.triggers.clear();
    }
    return state;
  }

  EvaluatedStage evaluate_stage(const Stage& stage, const Plan& plan) {
    StageEvaluator evaluator(context_, base_state(stage, plan));
    for (const Instruction& trigger : plan.triggers) {
      evaluator.run(trigger, stage.from->at, true);
    }
    for (const Instruction* instruction : stage.instructions) {
      evaluator.run(*instruction, instruction->at, false);
    }
    states_[stage.index] = evaluator.state();
    return {
        stage.index,
        stage.name,
        stage.from->at,
        stage.base,
        evaluator.state().platform,
        evaluator.take_steps(),
        evaluator.state().config};
  }

  const BuildInputs& inputs_;
  const FindImageConfig& find_config_;
  Budget budget_;
  Diagnostics diagnostics_;
  GlobalArguments globals_;
  Stages stages_;
  EvaluationContext context_;
  std::map<std::size_t, Plan> plans_;  // in the order of the file
  std::map<std::size_t, StageState> states_;
};

}  // namespace

Evaluation evaluate(
    const File& file, const BuildInputs& inputs, const FindImageConfig& find_config) {
  Evaluation evaluation;
  try {
    Evaluator evaluator(file, inputs, find_config);
    evaluator.run(evaluation);
    evaluation.diagnostics = evaluator.take_diagnostics();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::too_large) {
      throw;
    }
    evaluation.stages.clear();
    evaluation.diagnostics.error({file.name, 0, 0}, error.message(), error.hint());
  }
  return evaluation;
}

}  // namespace freshet::dockerfile
