// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/pipeline.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/yaml/document.hpp"
#include "freshet/pipeline/yaml/field_reader.hpp"
#include "freshet/pipeline/yaml/scalars.hpp"
#include "freshet/pipeline/yaml/step_parser.hpp"
#include "freshet/pipeline/yaml/syntax.hpp"
#include "freshet/pipeline/yaml/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace freshet::pipeline {
namespace {

constexpr std::string_view k_version = "1.0";
constexpr std::size_t k_max_shown_bytes = 40;

bool is_known_version(const YamlNode& version) {
  if (version.kind == YamlKind::number) {
    return number_value(version.text) == 1;
  }
  return version.kind == YamlKind::string && (version.text == k_version || version.text == "1");
}

void check_version(FieldReader& root, Findings& findings) {
  const YamlEntry* entry = root.take_required("version");
  if (entry == nullptr || is_known_version(entry->value)) {
    return;
  }
  const YamlNode& version = entry->value;
  const bool is_collection = version.kind == YamlKind::list || version.kind == YamlKind::map;
  findings.error(
      version.at,
      is_collection || version.kind == YamlKind::null
          ? "'version' must be '1.0'"
          : fmt::format(
                "version '{}' is invalid, it must be '1.0'",
                printable(version.text, k_max_shown_bytes)),
      has_curly_quotes(version.text) ? "use straight quotes: ' or \"" : "");
}

std::vector<std::string> parse_stages(FieldReader& root) {
  std::vector<std::string> stages;
  for (Text& stage : root.texts("stages")) {
    stages.push_back(std::move(stage.value));
  }
  return stages;
}

std::vector<Step> parse_steps(
    FieldReader& root, const std::vector<std::string>& stages, Findings& findings) {
  std::vector<Step> steps;
  const YamlEntry* entry = root.take_required("steps");
  if (entry == nullptr) {
    return steps;
  }
  if (entry->value.kind != YamlKind::map) {
    findings.error(
        entry->value.at,
        "'steps' must be a map",
        "each step is a name, a colon, and its fields indented on the lines below");
    return steps;
  }
  for (const YamlEntry& step_entry : entry->value.entries) {
    if (auto step = parse_step(step_entry, stages, findings)) {
      steps.push_back(std::move(*step));
    }
  }
  return steps;
}

Pipeline parse_root(const YamlNode& map, Findings& findings) {
  Pipeline pipeline;
  FieldReader root(map, map.at, findings);
  check_version(root, findings);
  pipeline.version = k_version;
  pipeline.stages = parse_stages(root);
  pipeline.steps = parse_steps(root, pipeline.stages, findings);
  root.finish({&unsupported_root_keys()});
  return pipeline;
}

}  // namespace

std::string_view to_string(StepType type) {
  return supported_step_types()[static_cast<std::size_t>(type)];
}

ParsedPipeline parse_pipeline(
    std::string_view text, std::string file_name, const PipelineCheck& check) {
  ParsedPipeline parsed;
  Findings findings(std::move(file_name), parsed.diagnostics);
  const std::optional<YamlNode> root = parse_document(text, findings);
  if (!root) {
    return parsed;
  }
  if (root->kind != YamlKind::map) {
    findings.error(
        root->at,
        root->kind == YamlKind::null ? "the file is empty"
                                     : "a pipeline must be a map with 'version' and 'steps'",
        "it starts with: version: '1.0'");
    return parsed;
  }
  Pipeline pipeline = parse_root(*root, findings);
  if (check) {
    check(pipeline, parsed.diagnostics);
  }
  if (!parsed.diagnostics.has_errors()) {
    parsed.pipeline = std::move(pipeline);
  }
  return parsed;
}

bool uses_main_clone(const Pipeline& pipeline) {
  return std::any_of(pipeline.steps.begin(), pipeline.steps.end(), [](const Step& step) {
    return step.name == "main_clone";
  });
}

}  // namespace freshet::pipeline
