// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/filesync/pattern.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::engine {

/// Which entries of a tree are sent.
///
/// An entry is included when there is no include list, or when it or an ancestor matches it. The
/// exclude list is read in order against the entry and its ancestors: a match excludes, a match of
/// a pattern with `!` in front takes that back, the last one decides.
class Selection {
 public:
  /// nullopt: no include list. Throws: invalid_input (malformed pattern).
  Selection(
      std::optional<std::vector<std::string>> include, const std::vector<std::string>& exclude);

  /// What is known about one directory or entry on the way down; reused for its neighbours.
  class Step {
    friend class Selection;
    bool included_ = false;
    std::vector<Pattern::State> include_states_;
    std::vector<Pattern::State> exclude_states_;
    std::vector<bool> exclude_matched_;  // by the entry or an ancestor
  };

  Step root() const;
  /// Judges the entry `name` of the directory that `parent` stands for, whose steps end behind its
  /// slash. `own` is overwritten.
  bool selects(const Step& parent, std::string_view name, Step& own) const;
  /// Moves `own` behind the slash of a directory and tells whether anything below it could be
  /// selected.
  bool enters(Step& own) const;

  /// For a whole path at once.
  bool selects(std::string_view path) const;

 private:
  bool is_excluded(const Step& step) const;

  struct Exclusion {
    Pattern pattern;
    bool takes_back = false;
  };

  std::optional<std::vector<Pattern>> include_;
  std::vector<Exclusion> exclude_;
};

}  // namespace freshet::engine
