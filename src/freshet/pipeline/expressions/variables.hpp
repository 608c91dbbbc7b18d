// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/expressions/interpolation.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::pipeline {

using NamedValue = std::pair<std::string, std::string>;

/// Where a variable comes from; the first in this list that has a name gives its value.
enum class VariableSource {
  exported,  // by a finished step
  run,  // given for this run
  system,  // CI, CF_…
};

/// The variables of a run, by source.
class Variables {
 public:
  void set(VariableSource source, std::string name, std::string value);
  void set_all(VariableSource source, const std::vector<NamedValue>& values);

  std::optional<std::string> find(std::string_view name) const;

  /// The environment of a freestyle step, by name: all variables, and `step_environment`
  /// (`KEY=value`, of the step itself), which wins over all but exported ones.
  std::vector<NamedValue> environment(const std::vector<std::string>& step_environment) const;

  /// For `interpolate`; borrows this object.
  Lookup lookup() const;

 private:
  using Layer = std::map<std::string, std::string, std::less<>>;
  std::array<Layer, 3> layers_;  // indexed by VariableSource
};

/// What the steps so far have produced, as `${{step}}`, `${{step.member}}` and
/// `${{steps.step.member}}`.
class StepOutputs {
 public:
  /// What `${{step}}` alone means: its image in `image` and `candidate`, its directory elsewhere.
  enum class Bare { image, directory };

  /// Sets e.g. `imageId`, `result` or `revision`.
  void set(const std::string& step, std::string member, std::string value);
  /// What `${{step}}` gives where an image is wanted.
  void set_image(const std::string& step, std::string reference);
  /// What `${{step}}` gives where a directory is wanted; also the member `workingDirectory`.
  void set_directory(const std::string& step, std::string directory);

  std::optional<std::string> find(std::string_view name, Bare bare) const;

  /// For `interpolate`; borrows this object.
  Lookup lookup(Bare bare) const;

 private:
  struct Outputs {
    std::optional<std::string> image;
    std::optional<std::string> directory;
    std::map<std::string, std::string, std::less<>> members;
  };

  std::optional<std::string> find_member(std::string_view path) const;

  std::map<std::string, Outputs, std::less<>> steps_;
};

}  // namespace freshet::pipeline
