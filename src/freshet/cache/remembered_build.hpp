// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/cache/instruction_keys.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::cache {

/// What is kept of an instruction to tell later why it has to run again. Values are kept as short
/// hashes: they are compared only, and may be secrets.
struct RememberedInstruction {
  std::string stage;
  std::string text;  // as written
  std::string key;  // hexadecimal
  std::map<std::string, std::string> says;  // by what it is about
  std::map<std::string, std::string> variables;  // none when their names are too long in all
  std::size_t variable_count = 0;
  std::string all_variables;  // one hash
  std::map<std::string, std::string> images;  // digest and platform, not hashed, by name
  std::map<std::string, std::string> files;  // by path; likewise
  std::size_t file_count = 0;
  std::string all_files;  // one hash
};

struct RememberedBuild {
  static constexpr std::size_t k_max_name_bytes = 4 << 20;  // of all instructions together
  static constexpr std::size_t k_max_builds = 256;  // beside each other; the oldest go

  std::vector<RememberedInstruction> instructions;  // in the order of the graph

  /// nullopt: nothing that can be read is there.
  static std::optional<RememberedBuild> load(const fs::path& file);
  /// Replaces `file`, named `*.json`, as a whole. Throws unavailable.
  void save(const fs::path& file) const;
};

/// `mask` hides secrets in the text of an instruction. Pure.
RememberedBuild remember(
    const KeyedBuild& build, const std::function<std::string(const std::string&)>& mask);

}  // namespace freshet::cache
