// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/follow_paths.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/filesync/beneath.hpp"
#include "freshet/engine/filesync/directory.hpp"
#include "freshet/engine/filesync/pattern.hpp"

#include <fcntl.h>

#include <deque>
#include <set>

namespace freshet::engine {
namespace {

constexpr int k_max_links = 40;  // as many as the kernel follows in one path
constexpr std::size_t k_max_walks = 100'000;  // wildcards over many links multiply

struct Part {
  std::string text;
  bool is_pattern = false;
};

/// One path on its way: `done` has no links and no wildcards in it, `rest` is still to be looked
/// at.
struct Walk {
  std::vector<std::string> done;
  std::deque<Part> rest;
  int links = 0;
  bool is_covered = false;  // a pattern includes its end already
};

std::deque<Part> parts_of(std::string_view path, bool may_have_patterns) {
  std::deque<Part> out;
  for (std::string& text : split(path, '/')) {
    if (text.empty() || text == ".") {
      continue;
    }
    const bool is_pattern = may_have_patterns && text.find_first_of("*?[\\") != std::string::npos;
    out.push_back(Part{std::move(text), is_pattern});
  }
  return out;
}

class Resolver {
 public:
  explicit Resolver(int root_fd) : root_fd_(root_fd) {}

  void add(const std::string& path) {
    Walk walk;
    walk.rest = parts_of(path, true);
    walks_.push_back(std::move(walk));
    while (!walks_.empty() && ++walked_ <= k_max_walks) {
      Walk next = std::move(walks_.front());
      walks_.pop_front();
      follow(std::move(next));
    }
  }

  std::optional<std::vector<std::string>> take() {
    if (found_.contains("")) {
      return std::nullopt;
    }
    return std::vector<std::string>(found_.begin(), found_.end());
  }

 private:
  void follow(Walk walk) {
    while (!walk.rest.empty()) {
      const Part part = std::move(walk.rest.front());
      walk.rest.pop_front();
      if (part.text == "..") {
        if (!walk.done.empty()) {
          walk.done.pop_back();
        }
      } else if (part.is_pattern) {
        expand(walk, part);
        return;
      } else if (follow_link(walk, part.text)) {
        return;
      } else {
        walk.done.push_back(part.text);
      }
    }
    if (!walk.is_covered) {
      found_.insert(escape_pattern(join(walk.done, "/")));
    }
  }

  UniqueFd open_directory(const std::vector<std::string>& parts) const {
    return open_beneath(root_fd_, join(parts, "/"), O_RDONLY | O_DIRECTORY);
  }

  /// When `name` is a link: includes it and goes on from its target.
  bool follow_link(const Walk& walk, const std::string& name) {
    const UniqueFd directory = open_directory(walk.done);
    const auto target = directory.is_open() ? read_link(directory.get(), name) : std::nullopt;
    if (!target) {
      return false;
    }
    Walk next;
    next.done = walk.done;
    next.done.push_back(name);
    found_.insert(escape_pattern(join(next.done, "/")));
    next.done.pop_back();
    if (target->starts_with('/')) {
      next.done.clear();
    }
    next.links = walk.links + 1;
    next.rest = parts_of(*target, false);
    next.rest.insert(next.rest.end(), walk.rest.begin(), walk.rest.end());
    if (next.links <= k_max_links) {
      walks_.push_back(std::move(next));
    }
    return true;
  }

  /// Includes the pattern as it is and looks for links among the names that it matches.
  void expand(const Walk& walk, const Part& part) {
    if (!walk.is_covered) {
      std::string pattern = escape_pattern(join(walk.done, "/"));
      pattern += (pattern.empty() ? "" : "/") + part.text;
      for (const Part& later : walk.rest) {
        pattern += "/" + (later.is_pattern ? later.text : escape_pattern(later.text));
      }
      found_.insert(pattern);
    }
    const Pattern pattern = Pattern::parse(part.text);
    const UniqueFd directory = open_directory(walk.done);
    DirectoryNames names;
    if (!directory.is_open() || !names.load(directory.get())) {
      return;
    }
    for (std::size_t i = 0; i < names.count(); ++i) {
      const std::string name = names.name(i);
      if (!pattern.matches(name) || follow_link(walk, name)) {
        continue;
      }
      if (!walk.rest.empty() && !names.is_no_directory(i)) {
        Walk next = walk;
        next.done.push_back(name);
        next.is_covered = true;
        walks_.push_back(std::move(next));
      }
    }
  }

  int root_fd_;
  std::deque<Walk> walks_;
  std::size_t walked_ = 0;
  std::set<std::string> found_;
};

}  // namespace

std::optional<std::vector<std::string>> resolve_follow_paths(
    int root_fd, const std::vector<std::string>& paths) {
  Resolver resolver(root_fd);
  for (const std::string& path : paths) {
    resolver.add(path);
  }
  return resolver.take();
}

}  // namespace freshet::engine
