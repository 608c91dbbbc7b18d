// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/stages.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/mount.hpp"
#include "freshet/dockerfile/platform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;

/// What every build has without asking. Source: Dockerfile reference, "Automatic platform ARGs in
/// the global scope".
Arguments automatic_arguments(const File& file, const BuildInputs& inputs) {
  std::string target = inputs.target;
  for (const Instruction& instruction : file.instructions) {
    if (inputs.target.empty() && instruction.keyword == "FROM") {
      target = instruction.stage_name;
    }
  }
  const oci::Platform& own = inputs.build_platform;
  const oci::Platform& wanted = inputs.platform;
  return {
      {"BUILDPLATFORM", own.to_string()},
      {"BUILDOS", own.os},
      {"BUILDOSVERSION", ""},
      {"BUILDARCH", own.architecture},
      {"BUILDVARIANT", own.variant},
      {"TARGETPLATFORM", wanted.to_string()},
      {"TARGETOS", wanted.os},
      {"TARGETOSVERSION", ""},
      {"TARGETARCH", wanted.architecture},
      {"TARGETVARIANT", wanted.variant},
      {"TARGETSTAGE", target.empty() ? "default" : target}};
}

bool depends_on_platform(const Expansion& expansion) {
  return std::ranges::any_of(expansion.used, [](const std::string& name) {
    return name.starts_with("BUILD") || name.starts_with("TARGET");
  });
}

std::optional<int> parse_index(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  int number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = !text.empty() && end == text.data() + text.size();
  return is_number && code == std::errc() ? std::optional(number) : std::nullopt;
}

}  // namespace

GlobalArguments::GlobalArguments(
    const File& file, const BuildInputs& inputs, Budget& budget, Diagnostics& diagnostics)
    : values_(automatic_arguments(file, inputs)) {
  for (auto& [name, value] : values_) {
    const auto given = inputs.arguments.find(name);
    value = given == inputs.arguments.end() ? value : given->second;
  }
  const FindVariable finder = [this](std::string_view name) { return find(name); };
  for (const Instruction& instruction : file.instructions) {
    const auto* arg = std::get_if<Arg>(&instruction.body);
    if (instruction.stage_index >= 0) {
      break;
    }
    for (const Arg::Declaration& declaration :
         arg == nullptr ? std::vector<Arg::Declaration>() : arg->declarations) {
      const auto given = inputs.arguments.find(declaration.name.text);
      if (given != inputs.arguments.end()) {
        values_[declaration.name.text] = given->second;
      } else if (declaration.value) {
        try {
          values_[declaration.name.text] =
              expand(declaration.value->text, finder, {.escape = file.escape}, budget).text;
        } catch (const Error& error) {
          if (error.code() == ErrorCode::too_large) {
            throw;
          }
          diagnostics.error(declaration.value->at, error.message(), error.hint());
          break;  // one mistake an instruction
        }
      }
    }
  }
}

const std::string* GlobalArguments::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

Stages::Stages(
    const File& file,
    const BuildInputs& inputs,
    const GlobalArguments& arguments,
    Budget& budget,
    Diagnostics& diagnostics) {
  const FindVariable finder = [&](std::string_view name) { return arguments.find(name); };
  const auto put_in = [&](const Word& word) -> std::optional<std::string> {
    try {
      return expand(word.text, finder, {.escape = file.escape}, budget).text;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::too_large) {
        throw;
      }
      diagnostics.error(word.at, error.message(), error.hint());
      return std::nullopt;
    }
  };
  for (const Instruction& instruction : file.instructions) {
    const auto* from = std::get_if<From>(&instruction.body);
    if (instruction.keyword != "FROM") {
      if (!stages_.empty()) {
        stages_.back().instructions.push_back(&instruction);
      }
      continue;
    }
    Stage stage{stages_.size(), instruction.stage_name, &instruction, Scratch{}, {}, {}};
    if (from != nullptr) {
      const auto image = put_in(from->image);
      if (image && image->empty()) {
        diagnostics.error(
            from->image.at,
            fmt::format("'{}' names no image", printable(from->image.text, k_max_shown)),
            "its variable is empty: give it a value by an ARG in front of the first FROM");
      } else if (image) {
        stage.base = find_base(*image);
      }
    }
    if (const auto name =
            from != nullptr && from->platform ? put_in(*from->platform) : std::nullopt) {
      stage.platform = parse_platform(*name, inputs.build_platform);
      if (!stage.platform) {
        diagnostics.error(
            from->platform->at,
            fmt::format("'{}' is no platform", printable(*name, k_max_shown)),
            "such as: linux/arm64");
      }
    }
    if (!stage.name.empty()) {
      by_name_[stage.name] = stage.index;
    }
    stages_.push_back(std::move(stage));
  }
}

Base Stages::find_base(const std::string& image) const {
  const auto stage = by_name_.find(image);
  if (stage != by_name_.end()) {
    return StageIndex{stage->second};
  }
  return image == "scratch" ? Base(Scratch{}) : Base(ImageName{image});
}

std::optional<std::size_t> Stages::find(std::string_view name) const {
  const auto found = by_name_.find(to_lower(name));
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Source> Stages::find_copied(const std::string& from) const {
  const std::optional<int> index = parse_index(from);
  if (!index) {
    return find_mounted(from);
  }
  if (*index < 0 || static_cast<std::size_t>(*index) >= stages_.size()) {
    return std::nullopt;
  }
  return StageIndex{static_cast<std::size_t>(*index)};
}

Source Stages::find_mounted(const std::string& from) const {
  if (from.empty()) {
    return BuildContext{};
  }
  const auto stage = find(from);
  return stage ? Source(StageIndex{*stage}) : Source(ImageName{from});
}

std::vector<Source> Stages::find_sources(const Instruction& instruction) const {
  std::vector<Source> sources;
  if (const auto* copy = std::get_if<Copy>(&instruction.body); copy != nullptr && copy->from) {
    if (const auto source = find_copied(copy->from->text)) {
      sources.push_back(*source);
    }
  }
  if (const auto* run = std::get_if<Run>(&instruction.body)) {
    for (const Word& mount : run->mounts) {
      try {
        sources.push_back(find_mounted(parse_mount_from(mount.text)));
      } catch (const Error&) {
        continue;  // told by `parse`
      }
    }
  }
  return sources;
}

std::vector<std::string> find_images(const File& file, const Arguments& arguments) {
  Budget budget;
  Diagnostics ignored;  // the builder tells them
  std::vector<std::string> images;
  std::set<std::string> seen;
  const auto add = [&](const std::string& image) {
    if (seen.insert(image).second) {
      images.push_back(image);
    }
  };
  try {
    const BuildInputs inputs{arguments, {}, {}, {}};
    const GlobalArguments globals(file, inputs, budget, ignored);
    const Stages stages(file, inputs, globals, budget, ignored);
    const FindVariable finder = [&](std::string_view name) { return globals.find(name); };
    for (const Stage& stage : stages.all()) {
      const auto* image = std::get_if<ImageName>(&stage.base);
      if (image != nullptr && !depends_on_platform(expand(
                                  std::get<From>(stage.from->body).image.text,
                                  finder,
                                  {.escape = file.escape},
                                  budget))) {
        add(image->value);
      }
    }
    for (const Stage& stage : stages.all()) {
      for (const Instruction* instruction : stage.instructions) {
        for (const Source& source : stages.find_sources(*instruction)) {
          if (const auto* image = std::get_if<ImageName>(&source)) {
            add(image->value);
          }
        }
      }
    }
  } catch (const Error&) {
    return images;  // it grows without bounds
  }
  return images;
}

}  // namespace freshet::dockerfile
