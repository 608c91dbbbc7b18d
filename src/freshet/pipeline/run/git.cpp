// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/git.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace freshet::pipeline {
namespace {

std::string without_git_suffix(std::string name) {
  if (name.ends_with(".git")) {
    name.resize(name.size() - 4);
  }
  return name;
}

/// Owner and name from the path part of an address: the last two components.
void take_owner_and_name(std::string_view path, RepositoryAddress& address) {
  std::vector<std::string> parts;
  for (std::string& part : split(path, '/')) {
    if (!part.empty()) {
      parts.push_back(std::move(part));
    }
  }
  if (!parts.empty()) {
    address.name = without_git_suffix(parts.back());
  }
  if (parts.size() > 1) {
    address.owner = parts[parts.size() - 2];
  }
}

bool is_bare_name(std::string_view text) {
  const auto is_plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_plain);
}

RepositoryAddress parse_url(const std::string& text, std::size_t scheme_end) {
  RepositoryAddress address{text, {}, {}};
  const std::string_view rest = std::string_view(text).substr(scheme_end + 3);
  const std::size_t path_start = rest.find('/');
  const std::string_view authority = rest.substr(0, path_start);
  const std::size_t at = authority.rfind('@');
  // On http even a lone user name may be a token.
  const bool holds_secret =
      at != std::string_view::npos &&
      (text.starts_with("http") || authority.substr(0, at).find(':') != std::string_view::npos);
  if (holds_secret) {
    throw Error(ErrorCode::invalid_input, "the repository's address holds a password or token")
        .with_hint(
            "it would be seen in the list of processes; use an ssh address and an ssh agent");
  }
  if (path_start != std::string_view::npos) {
    take_owner_and_name(rest.substr(path_start), address);
  }
  if (text.starts_with("file://")) {
    address.owner.clear();  // the parent folder is nobody's account
  }
  return address;
}

RepositoryAddress parse_address(const std::string& text) {
  if (const std::size_t scheme_end = text.find("://"); scheme_end != std::string::npos) {
    return parse_url(text, scheme_end);
  }
  RepositoryAddress address{text, {}, {}};
  if (text.starts_with('/') || text.starts_with("./") || text.starts_with("../")) {
    take_owner_and_name(text, address);
    address.owner.clear();  // the parent folder is nobody's account
    return address;
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string::npos && text.find('@') < colon) {  // git@host:owner/name.git
    take_owner_and_name(std::string_view(text).substr(colon + 1), address);
    return address;
  }
  const std::vector<std::string> parts = split(text, '/');
  if (parts.size() == 2 && is_bare_name(parts[0]) && is_bare_name(parts[1])) {
    take_owner_and_name(text, address);
    address.url = fmt::format("https://github.com/{}/{}.git", address.owner, address.name);
    return address;
  }
  throw Error(
      ErrorCode::invalid_input, fmt::format("'{}' is not the address of a repository", text))
      .with_hint("give owner/name, an https:// or ssh:// URL, git@host:path, or an absolute path");
}

}  // namespace

Command Git::command(std::vector<std::string> arguments) const {
  Command out;
  out.argv = {"git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"};
  if (!git_directory_.empty()) {
    out.argv.push_back("--git-dir=" + git_directory_.string());
    out.argv.push_back("--work-tree=" + directory_.string());
  }
  out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
  out.directory = directory_;
  // A hook or rebase that started us sets some of these for a repository of its own.
  out.without = {
      "GIT_ALTERNATE_OBJECT_DIRECTORIES",
      "GIT_COMMON_DIR",
      "GIT_CONFIG",
      "GIT_CONFIG_COUNT",
      "GIT_CONFIG_PARAMETERS",
      "GIT_DIR",
      "GIT_GRAFT_FILE",
      "GIT_IMPLICIT_WORK_TREE",
      "GIT_INDEX_FILE",
      "GIT_NAMESPACE",
      "GIT_NO_REPLACE_OBJECTS",
      "GIT_OBJECT_DIRECTORY",
      "GIT_PREFIX",
      "GIT_REPLACE_REF_BASE",
      "GIT_SHALLOW_FILE",
      "GIT_WORK_TREE"};
  out.environment = {
      "GIT_TERMINAL_PROMPT=0",
      "GIT_ALLOW_PROTOCOL=file:git:http:https:ssh",
      "GIT_SSH_COMMAND=ssh -oBatchMode=yes",
      "LC_ALL=C",
  };
  return out;
}

Awaitable<void> Git::run(Ctx ctx, std::vector<std::string> arguments) {
  std::string last_words;
  const std::string verb = arguments.at(0);
  LineSink sink = [this, &last_words](std::string_view line) {
    if (!trim(line).empty()) {
      last_words = line;
    }
    if (on_line_) {
      on_line_(line);
    }
  };
  const int code = co_await run_command(ctx, command(std::move(arguments)), std::move(sink));
  if (code != 0) {
    throw Error(ErrorCode::step_failed, fmt::format("'git {}' ended with exit code {}", verb, code))
        .with_remote_text(last_words);
  }
}

Awaitable<std::optional<std::string>> Git::ask(Ctx ctx, std::vector<std::string> arguments) {
  std::string output;
  LineSink sink = [&output](std::string_view line) { output.append(line).append("\n"); };
  const int code = co_await run_command(ctx, command(std::move(arguments)), std::move(sink));
  if (code != 0) {
    co_return std::nullopt;
  }
  co_return std::string(trim(output));
}

RepositoryAddress parse_repository_address(const std::string& text) {
  const std::string clean(trim(text));
  if (clean.empty() || clean.starts_with('-')) {
    throw Error(
        ErrorCode::invalid_input, fmt::format("'{}' is not the address of a repository", clean));
  }
  RepositoryAddress address = parse_address(clean);
  if (address.name.empty() || address.name == "." || address.name == "..") {
    throw Error(ErrorCode::invalid_input, fmt::format("'{}' does not name a repository", clean));
  }
  return address;
}

Awaitable<std::optional<fs::path>> find_repository(Ctx ctx, fs::path directory) {
  Git git(directory, nullptr);
  std::vector<std::string> arguments{"rev-parse", "--show-toplevel"};
  const std::optional<std::string> top = co_await git.ask(ctx, std::move(arguments));
  if (!top || top->empty() || !top->starts_with('/')) {
    co_return std::nullopt;
  }
  co_return fs::path(*top);
}

Awaitable<std::optional<model::GitFacts>> find_git_facts(Ctx ctx, Git& git) {
  // One call for the commit: hash, author, then the message, which may have any number of lines.
  std::vector<std::string> log{"log", "-1", "--no-show-signature", "--format=%H%n%an%n%B"};
  const std::optional<std::string> commit = co_await git.ask(ctx, std::move(log));
  if (!commit) {
    co_return std::nullopt;
  }
  model::GitFacts facts;
  const std::size_t first = commit->find('\n');
  const std::size_t second = commit->find('\n', first + 1);
  facts.revision = commit->substr(0, first);
  if (first != std::string::npos) {
    facts.commit_author = commit->substr(first + 1, second - first - 1);
  }
  if (second != std::string::npos) {
    facts.commit_message = commit->substr(second + 1);
  }
  std::vector<std::string> head{"symbolic-ref", "--quiet", "--short", "HEAD"};
  facts.branch = (co_await git.ask(ctx, std::move(head))).value_or("");
  std::vector<std::string> remote{"config", "--get", "remote.origin.url"};
  const std::optional<std::string> url = co_await git.ask(ctx, std::move(remote));
  try {
    const RepositoryAddress address =
        parse_repository_address(url.value_or(git.directory().string()));
    facts.repo_owner = address.owner;
    facts.repo_name = address.name;
  } catch (const Error&) {
    facts.repo_name = git.directory().filename().string();  // an address that we do not understand
  }
  co_return facts;
}

}  // namespace freshet::pipeline
