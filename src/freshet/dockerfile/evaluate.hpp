// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/dockerfile/image_config.hpp"
#include "freshet/dockerfile/mount.hpp"
#include "freshet/dockerfile/stages.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace freshet::dockerfile {

/// What a command finds when it runs.
struct Scope {
  /// The image's variables, those of ENV and the arguments that are declared, by name. Arguments
  /// for a proxy are in it only when an ARG declares them: else they reach the command without
  /// being part of what makes its result.
  std::map<std::string, std::string> environment;
  std::string user;  // empty: root
  std::string directory;  // absolute, as written: `..` behind a link leads elsewhere
};

struct RunMount {
  Mount mount;  // target, id and variable filled in; its target absolute
  Source from;  // for bind and cache; what a cache without `from` starts with is nothing
};

struct RunStep {
  std::vector<std::string> command;  // with its shell
  /// A here-document that is a program, as `/dev/pipes/<name>`.
  std::optional<InlineFile> script;
  std::vector<RunMount> mounts;
  Network network = Network::standard;
  bool is_insecure = false;
  std::vector<std::string> devices;
  std::shared_ptr<const Scope> scope;  // never null; shared by steps that find the same
};

enum class SourceKind { path, url, git };

struct CopySource {
  SourceKind kind = SourceKind::path;
  /// A path is absolute in its stage or context, which it never leaves; it may be a pattern. With
  /// `keeps_parents` `/./` in it marks where the parents begin that are kept.
  std::string text;
  bool operator==(const CopySource&) const = default;
};

struct CopyStep {
  bool is_add = false;
  Source from;
  std::vector<CopySource> sources;
  std::vector<InlineFile> inline_files;  // variables put in
  std::string destination;  // absolute; a slash at its end says that it is a directory
  std::string owner;  // as written; empty: root
  std::string mode;  // as written; may be empty
  std::string checksum;  // may be empty
  std::vector<std::string> excluded;
  bool is_link = false;
  bool keeps_parents = false;
  bool keeps_git_dir = false;
  bool unpacks = false;  // archives of paths; only said otherwise those of URLs
};

/// Makes a directory when it is not there.
struct WorkdirStep {
  std::string directory;  // absolute
  std::string user;  // who will own it; empty: root
};

/// Changes nothing but the image's configuration, or what later steps see.
struct ConfigStep {
  std::vector<std::string> words;  // the keyword, and what it came to; tells two changes apart
};

/// One instruction in effect.
struct Step {
  SourcePosition at;  // of a trigger: of the FROM that brought it
  std::string text;  // as written, without here-documents
  bool is_trigger = false;
  std::variant<RunStep, CopyStep, WorkdirStep, ConfigStep> action;
};

struct EvaluatedStage {
  std::size_t index = 0;
  std::string name;  // lower case; may be empty
  SourcePosition at;
  Base base;
  oci::Platform platform;
  std::vector<Step> steps;  // triggers of the base first
  ImageConfig config;  // of the image that it makes
};

struct Evaluation {
  /// The stages that the target needs, in the order of the file, which is one in which they can be
  /// built; the last one is the target.
  std::vector<EvaluatedStage> stages;
  /// With errors in it, the stages are incomplete: nothing may be concluded from them.
  Diagnostics diagnostics;
};

/// The configuration of an image, variables having been put into its name. nullopt: it is not
/// known, and the stage is taken to start from one without any configuration.
using FindImageConfig = std::function<std::optional<ImageConfig>(
    const std::string& image, const oci::Platform& platform)>;

/// What the instructions of `file` come to for one target: variables put in, each with the scope in
/// which it works. Never throws but what `find_config` throws; work and memory are bounded.
/// Mistakes that `parse` told are not told again.
/// Source: BuildKit, frontend/dockerfile/dockerfile2llb.
Evaluation evaluate(
    const File& file, const BuildInputs& inputs, const FindImageConfig& find_config);

}  // namespace freshet::dockerfile
