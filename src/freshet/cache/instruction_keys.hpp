// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/context_digest.hpp"
#include "freshet/cache/key_graph.hpp"
#include "freshet/dockerfile/evaluate.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace freshet::cache {

/// What decides, beside the Dockerfile, what the instructions of a build make.
struct BuildFacts {
  std::vector<ContextEntry> context;  // what the build gets of it, in the order of its digest
  /// Digests of the images that the Dockerfile names, by the name in it. One that is not here is
  /// not known.
  std::map<std::string, std::string> images;
  /// Differs from build to build. It stands for what cannot be known, so that a key made of that is
  /// no other build's.
  std::string build;
};

/// Something that an instruction starts from, or takes files of.
struct Origin {
  enum class Kind { image, stage };
  Kind kind = Kind::image;
  std::string name;  // for people: as the Dockerfile has it
  std::string value;  // digest and platform of an image; of a stage, the key of its last node
  bool is_known = true;
};

/// All that the key of an instruction is made of, but for the node before it.
struct InstructionInputs {
  std::string text;  // as written; what is in the key is what it came to, below
  std::vector<std::pair<std::string, std::string>> says;  // by what it is about, such as `user`
  std::shared_ptr<const dockerfile::Scope> scope;  // of a command; else null
  std::string variables;  // digest of those of the scope; empty without one
  /// What its stage starts from, where no node is before it; then what it takes files of.
  std::vector<Origin> origins;
  std::vector<std::size_t> files;  // indexes in `KeyedBuild::context`
  bool is_known = true;  // false: it, or what it depends on, cannot be known before a build
};

/// A build with the key of each of its instructions.
struct KeyedBuild {
  KeyGraph graph;
  std::vector<InstructionInputs> inputs;  // of the nodes, by index
  std::vector<std::size_t> chain;  // the nodes whose layers the image has, lowest first
  std::vector<ContextEntry> context;
};

/// The instructions of a build that make something, each with a key of all that decides what it
/// makes: what is before it, what it says with its variables put in, for commands the variables,
/// user and directory that they find, the files of the context that it sees, and what it takes from
/// stages and images. The content of cache mounts, secrets and the network are not part of it.
/// `evaluation` has no errors. Pure.
KeyedBuild make_instruction_keys(const dockerfile::Evaluation& evaluation, BuildFacts facts);

}  // namespace freshet::cache
