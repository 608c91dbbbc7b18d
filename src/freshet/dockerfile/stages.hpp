// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/build_inputs.hpp"
#include "freshet/dockerfile/expand.hpp"
#include "freshet/dockerfile/file.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace freshet::dockerfile {

struct Scratch {
  bool operator==(const Scratch&) const = default;
};
struct BuildContext {
  bool operator==(const BuildContext&) const = default;
};
struct StageIndex {
  std::size_t value = 0;  // of all stages of the file, from 0
  bool operator==(const StageIndex&) const = default;
};
struct ImageName {
  std::string value;  // variables put in; such as `alpine:3.19`
  bool operator==(const ImageName&) const = default;
};

/// What a stage starts from.
using Base = std::variant<Scratch, StageIndex, ImageName>;
/// Where files are copied or mounted from.
using Source = std::variant<BuildContext, StageIndex, ImageName>;

/// One stage as it is written, global arguments put in.
struct Stage {
  std::size_t index = 0;
  std::string name;  // lower case; may be empty
  const Instruction* from = nullptr;
  Base base;
  std::optional<oci::Platform> platform;  // what `--platform` says
  std::vector<const Instruction*> instructions;  // behind FROM
};

/// The arguments that FROM sees: those in front of it, and those that every build has, such as
/// TARGETARCH.
class GlobalArguments {
 public:
  GlobalArguments(
      const File& file, const BuildInputs& inputs, Budget& budget, Diagnostics& diagnostics);

  const std::string* find(std::string_view name) const;

 private:
  Arguments values_;
};

/// The stages of a file and how they name each other.
/// Source: BuildKit, frontend/dockerfile/dockerfile2llb.
class Stages {
 public:
  /// `file` must outlive this.
  Stages(
      const File& file,
      const BuildInputs& inputs,
      const GlobalArguments& arguments,
      Budget& budget,
      Diagnostics& diagnostics);

  const std::vector<Stage>& all() const { return stages_; }
  /// Names of stages are the same in upper and lower case. Of several with one name the last.
  std::optional<std::size_t> find(std::string_view name) const;
  /// What `COPY --from` names: a stage by its name or its number, else an image. nullopt when there
  /// are not that many stages.
  std::optional<Source> find_copied(const std::string& from) const;
  /// What `from=` of a mount names: a stage by its name, else an image.
  Source find_mounted(const std::string& from) const;
  /// All that one instruction copies or mounts from.
  std::vector<Source> find_sources(const Instruction& instruction) const;

 private:
  Base find_base(const std::string& image) const;

  std::vector<Stage> stages_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

/// The images that a file starts, copies or mounts from, each once, in the order of the file; with
/// the global arguments put in, but without those whose name depends on the platform.
std::vector<std::string> find_images(const File& file, const Arguments& arguments);

}  // namespace freshet::dockerfile
