// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/context_files.hpp"

#include "freshet/base/error.hpp"
#include "freshet/engine/filesync/pattern.hpp"
#include "freshet/engine/filesync/selection.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

namespace freshet::cache {
namespace {

bool is_above(std::string_view directory, std::string_view path) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

/// How a source meets an entry.
struct Meeting {
  /// Length of the path that the source names: the entry's own, or that of a directory above it.
  std::optional<std::size_t> root;
  bool leads_on = false;  // the source goes on below the entry
};

/// One source of an instruction: a path, or a pattern of paths.
class SourcePattern {
 public:
  static SourcePattern plain(std::string_view path) {
    return SourcePattern(engine::clean_path(path), std::nullopt);
  }

  /// nullopt: what it means is not known for sure.
  static std::optional<SourcePattern> parse(std::string_view text) {
    if (text.find_first_of("*?[\\") == std::string_view::npos) {
      return plain(text);
    }
    if (text.find('\\') != std::string_view::npos) {
      return std::nullopt;  // builders take it for part of a name, or not
    }
    try {
      return SourcePattern({}, engine::Pattern::parse(text));
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  Meeting meet(std::string_view path) const {
    if (pattern_) {
      return meet_pattern(path);
    }
    return path_.empty() ? Meeting{0, false} : meet_plain(path);
  }

 private:
  SourcePattern(std::string path, std::optional<engine::Pattern> pattern)
      : path_(std::move(path)), pattern_(std::move(pattern)) {}

  Meeting meet_plain(std::string_view path) const {
    Meeting meeting;
    if (path == path_ || is_above(path_, path)) {
      meeting.root = path_.size();
    }
    meeting.leads_on = is_above(path, path_);
    return meeting;
  }

  Meeting meet_pattern(std::string_view path) const {
    Meeting meeting;
    engine::Pattern::State state = pattern_->start();
    std::size_t begin = 0;
    while (begin < path.size() && !state.empty()) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      state = pattern_->advance(state, path.substr(begin, end - begin));
      if (pattern_->accepts(state)) {
        meeting.root = end;
        return meeting;
      }
      state = pattern_->advance(state, "/");
      begin = end + 1;
    }
    meeting.leads_on = !state.empty();
    return meeting;
  }

  std::string path_;  // of the one that is no pattern
  std::optional<engine::Pattern> pattern_;
};

/// What `--exclude` keeps from being copied, where that is sure.
class Exclusions {
 public:
  Exclusions() = default;
  explicit Exclusions(const dockerfile::CopyStep& step) {
    std::vector<std::string> patterns;
    for (const std::string& pattern : step.excluded) {
      if (pattern.starts_with('!')) {
        return;  // takes back what others exclude
      }
      // With parents, patterns are for paths that begin elsewhere: these hold in any case.
      if (!step.keeps_parents || pattern.starts_with("**/")) {
        patterns.push_back(pattern);
      }
    }
    try {
      selection_.emplace(std::nullopt, patterns);
    } catch (const Error&) {
      // No pattern: the builder refuses it.
    }
  }

  /// `root`: length of the path that the source named; patterns are for what is below.
  bool hold(std::string_view path, std::size_t root) const {
    const std::size_t begin = root == 0 ? 0 : root + 1;
    return selection_ && begin < path.size() && !selection_->selects(path.substr(begin));
  }

 private:
  std::optional<engine::Selection> selection_;
};

/// A slash, dot and slash mark where parents begin that are kept; the path is the same without.
std::string without_pivot(const dockerfile::CopyStep& step, std::string text) {
  const std::size_t pivot = step.keeps_parents ? text.find("/./") : std::string::npos;
  return pivot == std::string::npos ? text : text.erase(pivot, 2);
}

/// Marks what `source` shows. False: it leads through a link, or names one.
bool see(
    const std::vector<ContextEntry>& entries,
    const SourcePattern& source,
    const Exclusions& exclusions,
    std::vector<bool>& seen) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string& path = entries[i].path;
    const Meeting meeting = source.meet(path);
    const bool is_named = meeting.root && *meeting.root == path.size();
    if (entries[i].is_link && (is_named || meeting.leads_on)) {
      return false;
    }
    seen[i] = seen[i] || (meeting.root && !exclusions.hold(path, *meeting.root));
  }
  return true;
}

/// What a source may mean. Two asterisks are one where paths are matched in parts, as mostly, and
/// any directories where parents are kept.
std::vector<std::string> meanings_of(const dockerfile::CopyStep& step, const std::string& source) {
  std::vector<std::string> meanings{without_pivot(step, source)};
  std::string single = meanings.front();
  const auto is_doubled = [](char one, char next) { return one == '*' && next == '*'; };
  single.erase(std::unique(single.begin(), single.end(), is_doubled), single.end());
  if (single != meanings.front()) {
    meanings.push_back(std::move(single));
  }
  return meanings;
}

}  // namespace

std::vector<std::size_t> ContextFiles::copied_by(const dockerfile::CopyStep& step) const {
  std::vector<bool> seen(entries_.size());
  const Exclusions exclusions(step);
  for (const dockerfile::CopySource& source : step.sources) {
    if (source.kind != dockerfile::SourceKind::path) {
      continue;
    }
    for (const std::string& text : meanings_of(step, source.text)) {
      const auto pattern = SourcePattern::parse(text);
      if (!pattern || !see(entries_, *pattern, exclusions, seen)) {
        return all();
      }
    }
  }
  return complete(std::move(seen), step.keeps_parents);
}

std::vector<std::size_t> ContextFiles::below(const std::string& path) const {
  std::vector<bool> seen(entries_.size());
  const bool is_sure = see(entries_, SourcePattern::plain(path), Exclusions(), seen);
  return is_sure ? complete(std::move(seen), false) : all();
}

std::vector<std::size_t> ContextFiles::all() const {
  std::vector<std::size_t> out(entries_.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  return out;
}

/// The indexes of what is seen. Of several names of one file, the first one says what is in it.
std::vector<std::size_t> ContextFiles::complete(std::vector<bool> seen, bool with_parents) const {
  std::vector<std::size_t> above;  // what an entry is in
  std::set<std::string_view> twins;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::string& path = entries_[i].path;
    while (!above.empty() && !is_above(entries_[above.back()].path, path)) {
      above.pop_back();
    }
    if (seen[i] && with_parents) {
      for (const std::size_t directory : above) {
        seen[directory] = true;
      }
    }
    if (seen[i] && !entries_[i].same_file_as.empty()) {
      twins.insert(entries_[i].same_file_as);
    }
    above.push_back(i);
  }
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (seen[i] || twins.contains(entries_[i].path)) {
      out.push_back(i);
    }
  }
  return out;
}

}  // namespace freshet::cache
