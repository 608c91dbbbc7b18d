// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/dockerfile/evaluate.hpp"
#include "freshet/dockerfile/lookup.hpp"

#include <cstdint>
#include <string_view>

namespace {

namespace dockerfile = freshet::dockerfile;

void check_instructions(const dockerfile::File& file) {
  int last = 0;
  for (const dockerfile::Instruction& instruction : file.instructions) {
    FRESHET_ASSERT(instruction.line > last && instruction.last_line >= instruction.line);
    FRESHET_ASSERT(instruction.at.line >= instruction.line && instruction.at.column > 0);
    FRESHET_ASSERT(!instruction.keyword.empty());
    last = instruction.last_line;
  }
}

void check_paths(const dockerfile::Step& step) {
  if (const auto* copy = std::get_if<dockerfile::CopyStep>(&step.action)) {
    for (const dockerfile::CopySource& source : copy->sources) {
      FRESHET_ASSERT(
          source.kind != dockerfile::SourceKind::path ||
          (source.text.starts_with('/') && source.text.find("/../") == std::string::npos));
    }
  }
  if (const auto* run = std::get_if<dockerfile::RunStep>(&step.action)) {
    FRESHET_ASSERT(run->scope != nullptr && run->scope->directory.starts_with('/'));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const dockerfile::File file = dockerfile::parse(text);
  check_instructions(file);
  dockerfile::requested_syntax(text);
  dockerfile::find_images(file, {{"V", "1"}});
  dockerfile::find_instruction(file.instructions, "[2/3] RUN x");
  dockerfile::BuildInputs inputs;
  inputs.arguments = {{"V", "a/../b"}, {"W", ""}};
  const dockerfile::Evaluation evaluation =
      dockerfile::evaluate(file, inputs, [](const std::string&, const freshet::oci::Platform&) {
        dockerfile::ImageConfig config;
        config.environment = {{"E", "*"}};
        config.triggers = {"COPY $V $E/"};
        return std::optional(config);
      });
  for (const dockerfile::EvaluatedStage& stage : evaluation.stages) {
    for (const dockerfile::Step& step : stage.steps) {
      if (!evaluation.diagnostics.has_errors()) {
        check_paths(step);
      }
    }
  }
  return 0;
}
