// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/dockerfile/instruction.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::dockerfile {

enum class FlagKind { boolean, text, texts };

/// The flags of one instruction, by its keyword's rules.
class Flags {
 public:
  using Rules = std::map<std::string_view, FlagKind>;

  /// Unknown, repeated and empty flags are told in `diagnostics`.
  Flags(const Instruction& instruction, const Rules& rules, Diagnostics& diagnostics);

  std::optional<bool> boolean(std::string_view name) const;
  std::optional<Word> text(std::string_view name) const;
  std::vector<Word> texts(std::string_view name) const;

 private:
  void add(const Word& flag, const Rules& rules, Diagnostics& diagnostics);

  std::map<std::string, std::vector<Word>, std::less<>> values_;
};

}  // namespace freshet::dockerfile
