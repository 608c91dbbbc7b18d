// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/dockerfile/paths.hpp"
#include "freshet/dockerfile/stage_evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;

Error bad(std::string message, const SourcePosition& at = {}) {
  return Error(ErrorCode::invalid_input, std::move(message)).at(at);
}

/// A URL that git is asked for: `git://…`, `ssh://…`, `git@host:path`, or `….git` by HTTP.
bool is_git(std::string_view text) {
  if (text.starts_with("git://") || text.starts_with("ssh://")) {
    return true;
  }
  if (text.starts_with("http://") || text.starts_with("https://")) {
    const std::string_view path = text.substr(0, text.find_first_of("?#"));
    return path.ends_with(".git");
  }
  const std::size_t at = text.find('@');
  const std::size_t colon = text.find(':');
  return at != std::string_view::npos && colon != std::string_view::npos && at > 0 && at < colon &&
         text.substr(0, colon).find('/') == std::string_view::npos && colon + 1 < text.size();
}

SourceKind kind_of(std::string_view text) {
  if (is_git(text)) {
    return SourceKind::git;
  }
  const bool is_url = text.starts_with("http://") || text.starts_with("https://");
  return is_url ? SourceKind::url : SourceKind::path;
}

bool is_octal_mode(std::string_view text) {
  const std::size_t zeros = std::min(text.find_first_not_of('0'), text.size());
  return text.find_first_not_of("01234567") == std::string_view::npos && text.size() - zeros <= 4;
}

/// Symbolic modes, such as `u+x,go=`.
bool is_symbolic_mode(std::string_view text) {
  return text.find_first_of("+-=") != std::string_view::npos &&
         text.find_first_not_of("ugoarwxXst+-=,") == std::string_view::npos;
}

}  // namespace

StageEvaluator::Action StageEvaluator::evaluate(const Run& run) {
  RunStep step;
  set_command(step, run);
  step.network = run.network;
  step.is_insecure = run.is_insecure;
  for (const Word& device : run.devices) {
    step.devices.push_back(device.text);
  }
  for (const Word& word : run.mounts) {
    try {
      step.mounts.push_back(complete(
          parse_mount(word.text, [this](std::string_view value) { return expand_text(value); }),
          parse_mount_from(word.text)));
    } catch (Error& error) {
      error.set_position_if_unknown(word.at);
      throw;
    }
  }
  step.scope = scope();
  return step;
}

void StageEvaluator::set_command(RunStep& step, const Run& run) const {
  std::vector<std::string> words = run.command.words;
  if (!run.heredocs.empty() && words.size() == 1) {
    const Heredoc& first = run.heredocs.front();
    const std::string content = first.effective_content();
    if (!parse_heredoc(words.front(), context_.budget)) {
      for (const Heredoc& heredoc : run.heredocs) {  // the shell reads them itself
        words.front() += '\n';
        words.front() += heredoc.content;
        words.front() += heredoc.name;
      }
    } else if (content.starts_with("#!") && state_.platform.os != "windows") {
      step.script = InlineFile{first.name, content, false};
      words = {clean_path("/dev/pipes/" + first.name)};
    } else {
      words = {content};
    }
  }
  step.command = run.command.is_exec ? std::move(words) : in_shell(words);
}

RunMount StageEvaluator::complete(Mount mount, const std::string& written_from) const {
  RunMount out{std::move(mount), context_.stages.find_mounted(written_from)};
  Mount& own = out.mount;
  if (own.type == MountType::secret) {
    if (own.id.empty()) {
      own.id = own.source.empty() ? base_name(own.target) : own.source;
    }
    if (own.target.empty() && !own.variable) {
      own.target = "/run/secrets/" + base_name(own.id);
    }
    return out;
  }
  if (own.type == MountType::ssh) {
    own.id = own.id.empty() ? "default" : own.id;
    return out;
  }
  if (own.type == MountType::cache && own.id.empty()) {
    own.id = clean_path(own.target);
  }
  if (!own.target.starts_with('/')) {
    own.target = resolve_path(directory(), own.target);
  }
  if (own.target == "/") {
    throw bad("a mount needs a target other than '/'");
  }
  return out;
}

StageEvaluator::Action StageEvaluator::evaluate(const Copy& copy) {
  CopyStep step;
  step.is_add = copy.is_add;
  step.from = BuildContext{};
  if (copy.from) {
    const auto from = context_.stages.find_copied(copy.from->text);
    if (!from) {
      throw bad(
          fmt::format("there is no stage {}", printable(copy.from->text, k_max_shown)),
          copy.from->at);
    }
    step.from = *from;
  }
  step.is_link = copy.is_link;
  step.keeps_parents = copy.keeps_parents;
  step.keeps_git_dir = copy.keeps_git_dir.value_or(false);
  step.unpacks = copy.unpacks.value_or(copy.is_add);
  step.owner = expand_word(copy.owner);
  step.mode = expand_word(copy.mode);
  step.checksum = expand_word(copy.checksum);
  for (const Word& pattern : copy.excluded) {
    step.excluded.push_back(pattern.text);
  }
  for (const Word& word : copy.sources) {
    step.sources.push_back(source_of(copy, word));
  }
  for (InlineFile file : copy.inline_files) {
    file.content = file.expands ? expand_content(file.content) : file.content;
    step.inline_files.push_back(std::move(file));
  }
  const std::string destination = expand_word(copy.destination);
  const bool is_here = destination.empty() || destination == ".";
  step.destination = resolve_path(directory(), is_here ? "./" : destination, true);
  check_copy(copy, step);
  return step;
}

CopySource StageEvaluator::source_of(const Copy& copy, const Word& word) const {
  const std::string text = expand_word(word);
  const SourceKind kind = kind_of(text);
  if (kind != SourceKind::path) {
    if (!copy.is_add) {
      throw Error(
          ErrorCode::invalid_input,
          fmt::format("COPY cannot fetch '{}'", printable(text, k_max_shown)))
          .with_hint("ADD can")
          .at(word.at);
    }
    return {kind, text};
  }
  const std::size_t pivot = copy.keeps_parents ? text.find("/./") : std::string::npos;
  if (pivot == std::string::npos) {
    return {kind, resolve_path("/", text)};
  }
  const std::string parents = resolve_path("/", text.substr(0, pivot));
  return {
      kind,
      fmt::format(
          "{}/.{}", parents == "/" ? "" : parents, resolve_path("/", text.substr(pivot + 3)))};
}

void StageEvaluator::check_copy(const Copy& copy, const CopyStep& step) const {
  if (!step.mode.empty() && !is_octal_mode(step.mode) && !is_symbolic_mode(step.mode)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is no mode of files", printable(step.mode, k_max_shown)))
        .with_hint("it is octal, at most 7777")
        .at(copy.mode.at);
  }
  if (!step.checksum.empty() &&
      (step.sources.size() != 1 || step.sources.front().kind == SourceKind::path)) {
    throw bad("a checksum is for one source from the network", copy.checksum.at);
  }
}

}  // namespace freshet::dockerfile
