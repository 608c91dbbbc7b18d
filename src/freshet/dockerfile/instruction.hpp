// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/heredoc.hpp"
#include "freshet/dockerfile/words.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace freshet::dockerfile {

// What instructions say, one type each. A `Word` here is as written: variables, quotes and escapes
// are still in it, where the instruction puts them in at all.

struct From {
  Word image;
  std::optional<Word> platform;
  std::string name;  // lower case; empty when the stage has none
};

struct Arg {
  struct Declaration {
    Word name;
    std::optional<Word> value;
  };
  std::vector<Declaration> declarations;
};

struct Setting {
  Word name;
  Word value;
};

struct Env {
  std::vector<Setting> settings;
};

struct Label {
  std::vector<Setting> settings;
};

/// A program and its arguments, or one text for the shell.
struct Command {
  bool is_exec = false;
  std::vector<std::string> words;  // at most one when a shell gets it
};

enum class Network { standard, none, host };

struct Run {
  Command command;
  std::vector<Heredoc> heredocs;
  std::vector<Word> mounts;  // values of `--mount`, to be read by `parse_mount`
  Network network = Network::standard;
  bool is_insecure = false;
  std::vector<Word> devices;  // values of `--device`
};

/// A file that a here-document holds.
struct InlineFile {
  std::string name;
  std::string content;
  bool expands = false;
  bool operator==(const InlineFile&) const = default;
};

/// COPY, and ADD with its own flags.
struct Copy {
  bool is_add = false;
  std::optional<Word> from;  // a stage's name or number, or an image; COPY only
  Word owner;  // `--chown`; empty when not given, as the next ones
  Word mode;  // `--chmod`
  Word checksum;
  std::vector<Word> excluded;  // these have no variables
  bool is_link = false;
  bool keeps_parents = false;
  std::optional<bool> keeps_git_dir;
  std::optional<bool> unpacks;
  std::vector<Word> sources;
  std::vector<InlineFile> inline_files;
  Word destination;
};

struct Cmd {
  Command command;
};

struct Entrypoint {
  Command command;
};

struct Shell {
  std::vector<std::string> words;
};

struct User {
  Word user;
};

struct Workdir {
  Word directory;
};

struct Expose {
  std::vector<Word> ports;
};

struct Volume {
  std::vector<Word> paths;
};

struct StopSignal {
  Word signal;
};

struct Maintainer {
  std::string name;
};

struct Healthcheck {
  /// `NONE`; or `CMD` or `CMD-SHELL` and what follows.
  std::vector<std::string> test;
  // Zero: the engine's own.
  std::chrono::nanoseconds interval{};
  std::chrono::nanoseconds timeout{};
  std::chrono::nanoseconds start_period{};
  std::chrono::nanoseconds start_interval{};
  int retries = 0;
  bool operator==(const Healthcheck&) const = default;
};

struct Onbuild {
  std::string trigger;  // an instruction, its here-documents on the next lines
};

/// `monostate`: it says nothing that can be understood, and a diagnostic tells why.
using Body = std::variant<
    std::monostate,
    From,
    Arg,
    Env,
    Label,
    Run,
    Copy,
    Cmd,
    Entrypoint,
    Shell,
    User,
    Workdir,
    Expose,
    Volume,
    StopSignal,
    Maintainer,
    Healthcheck,
    Onbuild>;

/// One instruction of a Dockerfile and where it stands.
struct Instruction {
  SourcePosition at;
  int line = 0;  // first line, from 1
  int last_line = 0;  // the last line that belongs to it, here-documents included
  std::string keyword;  // upper case
  /// The whole logical line as BuildKit shows it: keyword in upper case, continuation lines joined,
  /// comments left out, without the bodies of here-documents.
  std::string text;
  int stage_index = -1;  // of its FROM, from 0; -1 before the first one
  std::string stage_name;  // lower case, as after AS; empty when the stage has none
  /// The number that BuildKit gives it in `[name 2/5]`; 0 when it is not counted there. Counted are
  /// RUN, COPY, ADD, WORKDIR, and FROM unless it names `scratch` or an earlier stage.
  int step_in_stage = 0;

  std::vector<Word> flags;  // without quotes and escapes
  /// By the rules of the keyword: names and values of ENV and LABEL in turn; one for those whose
  /// text is not cut, such as RUN; none for ONBUILD.
  std::vector<Word> arguments;
  bool is_json = false;  // written as `["a", "b"]`
  std::vector<Heredoc> heredocs;
  Body body;
};

}  // namespace freshet::dockerfile
