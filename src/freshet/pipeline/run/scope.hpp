// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/masker.hpp"
#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/engine/docker/client.hpp"
#include "freshet/model/build.hpp"
#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/pipeline/expressions/variables.hpp"
#include "freshet/pipeline/run/run_directory.hpp"
#include "freshet/pipeline/run/single_flight.hpp"
#include "freshet/pipeline/run/step_log.hpp"
#include "freshet/pipeline/run/workspace.hpp"
#include "freshet/pipeline/yaml/pipeline.hpp"
#include "freshet/registries/connections.hpp"
#include "freshet/registries/integrations.hpp"
#include "freshet/store/stores.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::pipeline {

/// What runs need from the rest of the program; all of it outlives the run.
struct RunServices {
  engine::DockerClient& engine;
  engine::ImageBuilder& builder;
  registries::Integrations& integrations;
  registries::Connections& connections;
  oci::ImageMover& mover;
  store::DataDirectory& data;
  asio::thread_pool& pool;  // for blocking work
};

/// An image that a step of this run made or pushed.
struct StepImage {
  std::string id;  // `sha256:…`, as the engine names it; the engine may have to pull it
  std::string config_digest;  // `sha256:…`; what `imageId` and the image's record have
  std::string logical_name;  // without registry and prefix
  std::string tag;  // the first one
  std::vector<std::string> repo_digests;  // `domain/path@sha256:…`, where it is known to live
};

/// What a run as a whole says about caches; each is as if every build step said so.
struct CacheSwitches {
  bool no_cache = false;
  bool no_cf_cache = false;
};

/// What a step leaves for later ones.
struct StepOutput {
  std::string working_directory;  // in containers; empty when the step has none
  std::optional<StepImage> image;
  /// Members beyond the common ones, e.g. `imageId`, `revision`.
  std::map<std::string, std::string> members;
};

/// The state of one run that its steps read and change. One thread: the run's executor.
class RunState {
 public:
  RunState(model::BuildRecord build, Workspace workspace, RunDirectory directory);

  const model::BuildRecord& build() const { return build_; }
  Workspace& workspace() { return workspace_; }
  RunDirectory& directory() { return directory_; }
  Masker& masker() { return masker_; }
  const std::string& volume_name() const { return volume_name_; }
  const CacheSwitches& cache_switches() const { return cache_switches_; }
  void set_cache_switches(CacheSwitches switches) { cache_switches_ = switches; }
  /// What steps pull at the same time.
  SingleFlight& pulls() { return pulls_; }

  /// Variables given for this run (`--var`).
  void set_run_variable(std::string name, std::string value);
  /// What a step exported for all later ones; a masked value is hidden in output from now on.
  void set_export(std::string name, std::string value, bool masked);
  /// The commit that the build is for: decides the `CF_*` variables of git.
  void set_git_facts(model::GitFacts facts);
  const model::GitFacts& git() const { return build_.git; }

  void begin_step(const Step& step);
  void end_step(const Step& step, model::StepResult result, StepOutput output);
  const Variables& variables() const { return variables_; }
  /// `text` with every known `${{…}}` replaced.
  std::string expand(const Text& text) const;
  /// For `working_directory`: a step's name stands for its folder. The result is absolute, in the
  /// container.
  std::string resolve_directory(const std::optional<Text>& text) const;
  /// Throws invalid_input, naming `field`, when it is no boolean once variables are put in.
  bool resolve_bool(const BoolValue& value, std::string_view field) const;
  /// The image of this run with that id, in full or without `sha256:`.
  const StepImage* find_image_by_id(std::string_view id) const;
  /// The finished step that `text` names as a whole, when that step has an image.
  const StepImage* find_step_image(const Text& text) const;
  /// Throws invalid_input when `expanded` still holds `${{…}}`, offering the nearest known name.
  void require_resolved(const Text& text, std::string_view expanded, std::string_view what) const;

 private:
  std::string expand(std::string_view text, StepOutputs::Bare bare) const;

  model::BuildRecord build_;
  Workspace workspace_;
  RunDirectory directory_;
  Masker masker_;
  SingleFlight pulls_;
  CacheSwitches cache_switches_;
  std::string volume_name_;
  Variables variables_;
  StepOutputs outputs_;
  std::map<std::string, StepOutput, std::less<>> finished_;
};

/// What the code of one step type works with.
struct StepScope {
  RunServices& services;
  RunState& run;
  StepLog& log;
  const Step& step;
  std::size_t index;  // of the step in the pipeline, from 0
};

/// Labels on everything that a run makes in the engine, so that it can be found and removed.
inline constexpr std::string_view k_owner_label = "io.freshet.owner";  // id of the data directory
inline constexpr std::string_view k_build_label = "io.freshet.build";
inline constexpr std::string_view k_step_label = "io.freshet.step";

}  // namespace freshet::pipeline
