// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/selection.hpp"

#include "freshet/base/text.hpp"

#include <algorithm>

namespace freshet::engine {

Selection::Selection(
    std::optional<std::vector<std::string>> include, const std::vector<std::string>& exclude) {
  if (include) {
    include_.emplace();
    for (const std::string& text : *include) {
      include_->push_back(Pattern::parse(text));
    }
  }
  for (const std::string& line : exclude) {
    std::string_view text = trim(line);
    Exclusion exclusion;
    exclusion.takes_back = text.starts_with('!');
    text = trim(text.substr(exclusion.takes_back ? 1 : 0));
    if (clean_path(text).empty()) {
      continue;  // the root itself is never sent
    }
    exclusion.pattern = Pattern::parse(text);
    exclude_.push_back(std::move(exclusion));
  }
}

Selection::Step Selection::root() const {
  Step step;
  step.included_ = !include_;
  for (const Pattern& pattern : include_.value_or(std::vector<Pattern>{})) {
    step.include_states_.push_back(pattern.start());
  }
  for (const Exclusion& exclusion : exclude_) {
    step.exclude_states_.push_back(exclusion.pattern.start());
  }
  step.exclude_matched_.assign(exclude_.size(), false);
  return step;
}

bool Selection::is_excluded(const Step& step) const {
  bool excluded = false;
  for (std::size_t i = 0; i < exclude_.size(); ++i) {
    if (step.exclude_matched_[i]) {
      excluded = !exclude_[i].takes_back;
    }
  }
  return excluded;
}

bool Selection::selects(const Step& parent, std::string_view name, Step& own) const {
  own.included_ = parent.included_;
  if (!own.included_) {
    own.include_states_.resize(include_->size());
    for (std::size_t i = 0; i < include_->size(); ++i) {
      const Pattern& pattern = (*include_)[i];
      own.include_states_[i] = pattern.advance(parent.include_states_[i], name);
      own.included_ = own.included_ || pattern.accepts(own.include_states_[i]);
    }
  }
  own.exclude_matched_ = parent.exclude_matched_;
  own.exclude_states_.resize(exclude_.size());
  for (std::size_t i = 0; i < exclude_.size(); ++i) {
    const Pattern& pattern = exclude_[i].pattern;
    own.exclude_states_[i] = pattern.advance(parent.exclude_states_[i], name);
    if (pattern.accepts(own.exclude_states_[i])) {
      own.exclude_matched_[i] = true;
    }
  }
  return own.included_ && !is_excluded(own);
}

bool Selection::enters(Step& own) const {
  bool may_include = own.included_;
  for (std::size_t i = 0; !own.included_ && i < include_->size(); ++i) {
    own.include_states_[i] = (*include_)[i].advance(own.include_states_[i], "/");
    may_include = may_include || !own.include_states_[i].empty();
  }
  bool may_take_back = false;
  for (std::size_t i = 0; i < exclude_.size(); ++i) {
    own.exclude_states_[i] = exclude_[i].pattern.advance(own.exclude_states_[i], "/");
    may_take_back = may_take_back || (exclude_[i].takes_back && !own.exclude_states_[i].empty());
  }
  return may_include && (may_take_back || !is_excluded(own));
}

bool Selection::selects(std::string_view path) const {
  Step parent = root();
  for (;;) {
    const std::size_t slash = path.find('/');
    Step own;
    const bool selected = selects(parent, path.substr(0, slash), own);
    if (slash == std::string_view::npos) {
      return selected;
    }
    enters(own);
    parent = std::move(own);
    path.remove_prefix(slash + 1);
  }
}

}  // namespace freshet::engine
