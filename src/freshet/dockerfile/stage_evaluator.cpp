// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/stage_evaluator.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/paths.hpp"
#include "freshet/dockerfile/ports.hpp"
#include "freshet/dockerfile/signals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;
constexpr std::size_t k_variable_overhead = 96;  // bytes that a node of a map takes
constexpr std::string_view k_default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An absolute path stays as written, because `/a/../b` is not `/b` when `/a` is a link.
std::string change_directory(const std::string& current, const std::string& path) {
  return path.empty() ? current : path.starts_with('/') ? path : resolve_path(current, path);
}

}  // namespace

void ImageConfig::set_variable(const std::string& name, const std::string& value) {
  const auto found =
      std::ranges::find(environment, name, &std::pair<std::string, std::string>::first);
  if (found != environment.end()) {
    found->second = value;
  } else {
    environment.emplace_back(name, value);
  }
}

StageEvaluator::StageEvaluator(const EvaluationContext& context, StageState state)
    : context_(context), state_(std::move(state)) {
  const auto is_path = [](const auto& variable) { return variable.first == "PATH"; };
  if (state_.platform.os != "windows" && std::ranges::none_of(state_.config.environment, is_path)) {
    state_.config.set_variable("PATH", std::string(k_default_path));
  }
  for (const auto& [name, value] : state_.config.environment) {
    context_.budget.spend(name.size() + value.size() + k_variable_overhead);
    state_.variables[name] = value;
  }
  if (!state_.config.directory.empty()) {
    state_.config.directory = change_directory(state_.config.directory, state_.config.directory);
  }
}

void StageEvaluator::run(
    const Instruction& instruction, const SourcePosition& at, bool is_trigger) {
  Step step{at, instruction.text, is_trigger, ConfigStep{}};
  try {
    const auto evaluate_body = [this](const auto& body) -> Action {
      using Kind = std::decay_t<decltype(body)>;
      if constexpr (std::is_same_v<Kind, std::monostate> || std::is_same_v<Kind, From>) {
        return ConfigStep{};
      } else {
        return evaluate(body);
      }
    };
    step.action = std::visit(evaluate_body, instruction.body);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::too_large) {
      throw;
    }
    const SourcePosition& known =
        error.position().is_known() && !is_trigger ? error.position() : at;
    context_.diagnostics.error(known, error.message(), error.hint());
  }
  steps_.push_back(std::move(step));
}

std::string StageEvaluator::expand_text(std::string_view text) const {
  const FindVariable find = [this](std::string_view name) -> const std::string* {
    const auto found = state_.variables.find(name);
    return found == state_.variables.end() ? nullptr : &found->second;
  };
  return expand(text, find, {.escape = context_.escape}, context_.budget).text;
}

std::string StageEvaluator::expand_word(const Word& word) const {
  try {
    return expand_text(word.text);
  } catch (Error& error) {
    error.set_position_if_unknown(word.at);
    throw;
  }
}

/// Of a here-document: the backslash escapes in it, whatever escapes in the file.
std::string StageEvaluator::expand_content(std::string_view text) const {
  const FindVariable find = [this](std::string_view name) -> const std::string* {
    const auto found = state_.variables.find(name);
    return found == state_.variables.end() ? nullptr : &found->second;
  };
  return expand(text, find, {.has_quotes = false}, context_.budget).text;
}

std::vector<std::string> StageEvaluator::in_shell(const std::vector<std::string>& words) const {
  std::vector<std::string> out = state_.config.shell;
  if (out.empty() && state_.platform.os == "windows") {
    out = {"cmd", "/S", "/C"};
  } else if (out.empty()) {
    out = {"/bin/sh", "-c"};
  }
  out.push_back(join(words, " "));
  return out;
}

std::vector<std::string> StageEvaluator::words_of(const Command& command) const {
  return command.is_exec ? command.words : in_shell(command.words);
}

std::string StageEvaluator::directory() const {
  return state_.config.directory.empty() ? "/" : state_.config.directory;
}

std::shared_ptr<const Scope> StageEvaluator::scope() {
  if (!scope_) {
    auto made = std::make_shared<Scope>();
    for (const auto& [name, value] : state_.variables) {
      context_.budget.spend(name.size() + value.size() + k_variable_overhead);
      made->environment.emplace(name, value);
    }
    made->user = state_.config.user;
    made->directory = directory();
    scope_ = std::move(made);
  }
  return scope_;
}

void StageEvaluator::set_variable(const std::string& name, const std::string& value) {
  scope_.reset();
  state_.variables[name] = value;
}

StageEvaluator::Action StageEvaluator::evaluate(const Workdir& workdir) {
  scope_.reset();
  state_.config.directory = change_directory(directory(), expand_word(workdir.directory));
  return WorkdirStep{clean_path(state_.config.directory), state_.config.user};
}

StageEvaluator::Action StageEvaluator::evaluate(const Arg& arg) {
  // Known to builders and kept from commands.
  constexpr std::array<std::string_view, 2> k_hidden{
      "BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"};
  ConfigStep step{{"ARG"}};
  for (const Arg::Declaration& declaration : arg.declarations) {
    const std::string& name = declaration.name.text;
    const auto given = context_.inputs.arguments.find(name);
    std::optional<std::string> value;
    if (given != context_.inputs.arguments.end()) {
      value = given->second;
    } else if (declaration.value) {
      value = expand_word(*declaration.value);
    } else if (const std::string* global = context_.globals.find(name)) {
      value = *global;
    }
    step.words.push_back(name);
    if (value && std::ranges::find(k_hidden, name) == k_hidden.end()) {
      context_.budget.spend(value->size());
      step.words.back() += "=" + *value;
      set_variable(name, *value);
    }
  }
  return step;
}

StageEvaluator::Action StageEvaluator::evaluate(const Env& env) {
  ConfigStep step{{"ENV"}};
  for (const Setting& setting : env.settings) {  // all of them see what was there before
    step.words.push_back(expand_word(setting.name));
    step.words.push_back(expand_word(setting.value));
  }
  for (std::size_t i = 1; i + 1 < step.words.size(); i += 2) {
    set_variable(step.words[i], step.words[i + 1]);
    context_.budget.spend(state_.config.environment.size());
    state_.config.set_variable(step.words[i], step.words[i + 1]);
  }
  return step;
}

StageEvaluator::Action StageEvaluator::evaluate(const Label& label) {
  ConfigStep step{{"LABEL"}};
  for (const Setting& setting : label.settings) {
    step.words.push_back(expand_word(setting.name));
    step.words.push_back(expand_word(setting.value));
    state_.config.labels[step.words[step.words.size() - 2]] = step.words.back();
  }
  return step;
}

StageEvaluator::Action StageEvaluator::evaluate(const Cmd& cmd) {
  has_cmd_ = true;
  ConfigStep step{words_of(cmd.command)};
  state_.config.cmd = step.words;
  step.words.insert(step.words.begin(), "CMD");
  return step;
}

StageEvaluator::Action StageEvaluator::evaluate(const Entrypoint& entrypoint) {
  ConfigStep step{words_of(entrypoint.command)};
  state_.config.entrypoint = step.words;
  if (!has_cmd_) {
    state_.config.cmd.reset();  // the base's was for the base's entry point
  }
  step.words.insert(step.words.begin(), "ENTRYPOINT");
  return step;
}

StageEvaluator::Action StageEvaluator::evaluate(const Shell& shell) {
  state_.config.shell = shell.words;
  ConfigStep step{shell.words};
  step.words.insert(step.words.begin(), "SHELL");
  return step;
}

StageEvaluator::Action StageEvaluator::evaluate(const User& user) {
  scope_.reset();
  state_.config.user = expand_word(user.user);
  return ConfigStep{{"USER", state_.config.user}};
}

StageEvaluator::Action StageEvaluator::evaluate(const Expose& expose) {
  ConfigStep step{{"EXPOSE"}};
  const FindVariable find = [this](std::string_view name) -> const std::string* {
    const auto found = state_.variables.find(name);
    return found == state_.variables.end() ? nullptr : &found->second;
  };
  for (const Word& word : expose.ports) {
    for (const std::string& spec :
         expand(word.text, find, {.escape = context_.escape}, context_.budget).words) {
      for (std::string& port : parse_ports(spec, context_.budget)) {
        step.words.push_back(port);
        state_.config.ports.insert(std::move(port));
      }
    }
  }
  return step;
}

StageEvaluator::Action StageEvaluator::evaluate(const Volume& volume) {
  ConfigStep step{{"VOLUME"}};
  for (const Word& path : volume.paths) {
    step.words.push_back(expand_word(path));
    if (step.words.back().empty()) {
      throw Error(ErrorCode::invalid_input, "a volume has an empty path").at(path.at);
    }
    state_.config.volumes.insert(step.words.back());
  }
  return step;
}

StageEvaluator::Action StageEvaluator::evaluate(const StopSignal& signal) {
  const std::string name = expand_word(signal.signal);
  if (!is_signal(name)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("there is no signal '{}'", printable(name, k_max_shown)))
        .at(signal.signal.at);
  }
  state_.config.stop_signal = name;
  return ConfigStep{{"STOPSIGNAL", name}};
}

StageEvaluator::Action StageEvaluator::evaluate(const Maintainer& maintainer) {
  state_.config.author = maintainer.name;
  return ConfigStep{{"MAINTAINER", maintainer.name}};
}

StageEvaluator::Action StageEvaluator::evaluate(const Healthcheck& check) {
  state_.config.healthcheck = check;
  ConfigStep step{{"HEALTHCHECK"}};
  for (const auto& time :
       {check.interval, check.timeout, check.start_period, check.start_interval}) {
    step.words.push_back(fmt::format("{}ns", time.count()));
  }
  step.words.push_back(std::to_string(check.retries));
  step.words.insert(step.words.end(), check.test.begin(), check.test.end());
  return step;
}

StageEvaluator::Action StageEvaluator::evaluate(const Onbuild& onbuild) {
  state_.config.triggers.push_back(onbuild.trigger);
  return ConfigStep{{"ONBUILD", onbuild.trigger}};
}

}  // namespace freshet::dockerfile
