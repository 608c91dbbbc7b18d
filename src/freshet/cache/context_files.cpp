// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/context_files.hpp"

#include "freshet/base/error.hpp"
#include "freshet/engine/filesync/pattern.hpp"
#include "freshet/engine/filesync/selection.hpp"

#include <algorithm>
#include <functional>
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

/// Where a link leads; nullopt: that is not sure without following others.
std::optional<std::string> resolve(const ContextEntry& link) {
  const std::size_t first = link.link.find_first_not_of("./");
  const bool goes_back =
      first != std::string::npos && link.link.find("/..", first) != std::string::npos;
  if (goes_back) {
    return std::nullopt;
  }
  const std::size_t slash = link.path.rfind('/');
  const bool is_relative = !link.link.starts_with('/') && slash != std::string::npos;
  return engine::clean_path(is_relative ? link.path.substr(0, slash + 1) + link.link : link.link);
}

/// One source of an instruction: a path, or a pattern of paths.
class SourcePattern {
 public:
  static SourcePattern plain(std::string_view path) {
    return SourcePattern(engine::clean_path(path), std::nullopt);
  }

  /// nullopt: what it means is not known for sure.
  static std::optional<SourcePattern> parse(std::string_view text) {
    if (!has_meaning(text)) {
      return plain(text);
    }
    if (text.find('\\') != std::string_view::npos) {
      return std::nullopt;  // builders take it for part of a name, or not
    }
    try {
      return SourcePattern(engine::clean_path(text), engine::Pattern::parse(text));
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  /// What it costs to meet an entry.
  std::uint64_t weight() const { return pattern_ ? 1 + path_.size() / 2 : 1; }

  Meeting meet(std::string_view path) const {
    if (pattern_) {
      return meet_pattern(path);
    }
    return path_.empty() ? Meeting{0, false} : meet_plain(path);
  }

  /// The source with what `link` leads to in place of the link, which it names or leads through.
  /// nullopt: what that is, is not sure.
  std::optional<SourcePattern> through(const ContextEntry& link) const {
    const auto place = resolve(link);
    if (!place || (pattern_ && path_.find("**") != std::string::npos)) {
      return std::nullopt;
    }
    std::size_t rest = 0;  // each part of a pattern is for one part of a path
    for (auto parts = std::ranges::count(link.path, '/') + 1; parts > 0; --parts) {
      rest = std::min(path_.find('/', rest), path_.size() - 1) + 1;
    }
    const std::string behind = path_.substr(rest);
    if (!pattern_ || !has_meaning(behind)) {
      return plain(*place + "/" + behind);
    }
    return has_meaning(*place) ? std::nullopt : parse(*place + "/" + behind);
  }

 private:
  static bool has_meaning(std::string_view text) {
    return text.find_first_of("*?[\\") != std::string_view::npos;
  }

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

  std::string path_;
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
        weight_ = 0;
        return;  // takes back what others exclude
      }
      // With parents, patterns are for paths that begin elsewhere: these hold in any case.
      if (!step.keeps_parents || pattern.starts_with("**/")) {
        patterns.push_back(pattern);
        weight_ += 1 + pattern.size() / 2;
      }
    }
    try {
      selection_.emplace(std::nullopt, patterns);
    } catch (const Error&) {
      // No pattern: the builder refuses it.
    }
  }

  /// What it costs to judge an entry.
  std::uint64_t weight() const { return weight_; }

  /// `root`: length of the path that the source named; patterns are for what is below.
  bool hold(std::string_view path, std::size_t root) const {
    const std::size_t begin = root == 0 ? 0 : root + 1;
    return selection_ && begin < path.size() && !selection_->selects(path.substr(begin));
  }

 private:
  std::optional<engine::Selection> selection_;
  std::uint64_t weight_ = 0;
};

/// A slash, dot and slash mark where parents begin that are kept; the path is the same without.
std::string without_pivot(const dockerfile::CopyStep& step, std::string text) {
  const std::size_t pivot = step.keeps_parents ? text.find("/./") : std::string::npos;
  return pivot == std::string::npos ? text : text.erase(pivot, 2);
}

/// Links that one source may lead through; then they lead in circles.
constexpr std::size_t k_max_links = 256;

/// Allows a look at all entries that costs `weight` for each.
using Spend = std::function<bool(std::uint64_t weight)>;

/// Marks what `source` shows. False: that is not sure, or too much work.
bool see(
    const std::vector<ContextEntry>& entries,
    const SourcePattern& source,
    const Exclusions& exclusions,
    const Spend& spend,
    std::vector<bool>& seen) {
  std::vector<SourcePattern> sources{source};
  for (std::size_t next = 0; next < sources.size(); ++next) {
    if (!spend(sources[next].weight() + exclusions.weight())) {
      return false;
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::string& path = entries[i].path;
      const Meeting meeting = sources[next].meet(path);
      const bool is_named = meeting.root && *meeting.root == path.size();
      seen[i] = seen[i] || (meeting.root && !exclusions.hold(path, *meeting.root));
      if (entries[i].is_link && (is_named || meeting.leads_on)) {
        auto followed = sources[next].through(entries[i]);
        if (!followed || sources.size() > k_max_links) {
          return false;
        }
        seen[i] = true;
        sources.push_back(std::move(*followed));
      }
    }
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

ContextFiles::Seen ContextFiles::copied_by(const dockerfile::CopyStep& step) {
  std::vector<bool> seen(entries_.size());
  const Exclusions exclusions(step);
  const Spend spend = [this](std::uint64_t weight) { return this->spend(weight); };
  for (const dockerfile::CopySource& source : step.sources) {
    if (source.kind != dockerfile::SourceKind::path) {
      continue;
    }
    for (const std::string& text : meanings_of(step, source.text)) {
      const auto pattern = SourcePattern::parse(text);
      if (!pattern || !see(entries_, *pattern, exclusions, spend, seen)) {
        return all();
      }
    }
  }
  return complete(std::move(seen), step.keeps_parents);
}

ContextFiles::Seen ContextFiles::below(const std::string& path) {
  std::vector<bool> seen(entries_.size());
  const Spend spend = [this](std::uint64_t weight) { return this->spend(weight); };
  const bool is_sure = see(entries_, SourcePattern::plain(path), Exclusions(), spend, seen);
  return is_sure ? complete(std::move(seen), false) : all();
}

bool ContextFiles::spend(std::uint64_t weight) {
  const std::uint64_t work = weight * entries_.size();
  if (work > work_left_) {
    work_left_ = 0;
    return false;
  }
  work_left_ -= work;
  return true;
}

ContextFiles::Seen ContextFiles::all() {
  if (!spend(1)) {
    return std::nullopt;
  }
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
    if (seen[i] && !entries_[i].is_link && !entries_[i].link.empty()) {
      twins.insert(entries_[i].link);
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
