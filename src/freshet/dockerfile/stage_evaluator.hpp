// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/evaluate.hpp"

namespace freshet::dockerfile {

/// What a stage hands to those that start from it.
struct StageState {
  /// What `$name` gives: variables of the image and of ENV, and arguments.
  std::map<std::string, std::string, std::less<>> variables;
  ImageConfig config;
  oci::Platform platform;
};

/// Variables and mistakes of one evaluation.
struct EvaluationContext {
  const BuildInputs& inputs;
  const GlobalArguments& globals;
  const Stages& stages;
  char escape;
  Budget& budget;
  Diagnostics& diagnostics;
};

/// Works through the instructions of one stage.
class StageEvaluator {
 public:
  /// `state` is that of the base.
  StageEvaluator(const EvaluationContext& context, StageState state);

  /// `at`: what messages name.
  void run(const Instruction& instruction, const SourcePosition& at, bool is_trigger);

  std::vector<Step> take_steps() { return std::move(steps_); }
  const StageState& state() const { return state_; }

 private:
  using Action = decltype(Step::action);

  std::string expand_word(const Word& word) const;
  std::string expand_text(std::string_view text) const;
  std::string expand_content(std::string_view text) const;
  std::vector<std::string> in_shell(const std::vector<std::string>& words) const;
  std::vector<std::string> words_of(const Command& command) const;
  std::string directory() const;
  std::shared_ptr<const Scope> scope();
  void set_variable(const std::string& name, const std::string& value);

  Action evaluate(const Run& run);
  Action evaluate(const Copy& copy);
  Action evaluate(const Workdir& workdir);
  Action evaluate(const Arg& arg);
  Action evaluate(const Env& env);
  Action evaluate(const Label& label);
  Action evaluate(const Cmd& cmd);
  Action evaluate(const Entrypoint& entrypoint);
  Action evaluate(const Shell& shell);
  Action evaluate(const User& user);
  Action evaluate(const Expose& expose);
  Action evaluate(const Volume& volume);
  Action evaluate(const StopSignal& signal);
  Action evaluate(const Maintainer& maintainer);
  Action evaluate(const Healthcheck& check);
  Action evaluate(const Onbuild& onbuild);

  void set_command(RunStep& step, const Run& run) const;
  RunMount complete(Mount mount, const std::string& written_from) const;
  CopySource source_of(const Copy& copy, const Word& word) const;
  void check_copy(const Copy& copy, const CopyStep& step) const;

  const EvaluationContext& context_;
  StageState state_;
  std::vector<Step> steps_;
  std::shared_ptr<const Scope> scope_;  // as last asked for; null when something changed since
  bool has_cmd_ = false;  // of this stage's own
};

}  // namespace freshet::dockerfile
