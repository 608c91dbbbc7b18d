// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/walker.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/filesync/attributes.hpp"
#include "freshet/engine/filesync/beneath.hpp"
#include "freshet/engine/filesync/directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <map>

namespace freshet::engine {
namespace {

/// Deeper trees do not fit into a path, and each level keeps a descriptor open.
constexpr std::size_t k_max_depth = 2048;

[[noreturn]] void fail_on(const std::string& path, const char* reason, ErrorCode code) {
  throw Error(
      code,
      fmt::format(
          "cannot read '{}' of the build context: {}",
          path.empty() ? "." : printable(path, 300),
          reason))
      .with_hint("exclude it in .dockerignore or make it readable");
}

/// Whether the entry went away, or became something else, after its name was read.
bool has_vanished(int code) {
  return code == ENOENT || code == ENOTDIR || code == ELOOP;
}

class Walker {
 public:
  Walker(const Selection& selection, const EntrySink& on_entry, bool wants_attributes)
      : selection_(selection), on_entry_(on_entry), wants_attributes_(wants_attributes) {}

  bool walk(int root_fd) {
    steps_.push_back(selection_.root());
    return walk_directory(root_fd, 0);
  }

 private:
  using Inode = std::pair<dev_t, ino_t>;

  [[noreturn]] void fail() const {
    const bool denied = errno == EACCES || errno == EPERM;
    fail_on(path_, std::strerror(errno), denied ? ErrorCode::forbidden : ErrorCode::unavailable);
  }

  bool walk_directory(int fd, std::size_t depth) {
    DirectoryNames names;
    if (!names.load(fd)) {
      if (has_vanished(errno)) {
        return true;
      }
      fail();
    }
    if (steps_.size() < depth + 2) {
      steps_.emplace_back();
    }
    const std::size_t base = path_.size();
    bool go_on = true;
    for (std::size_t i = 0; i < names.count() && go_on; ++i) {
      if (base > 0) {
        path_ += '/';
      }
      path_ += names.name(i);
      const bool selected = selection_.selects(steps_[depth], names.name(i), steps_[depth + 1]);
      if (selected || !names.is_no_directory(i)) {
        go_on = visit(fd, names.name(i), selected, depth);
      }
      path_.resize(base);
    }
    return go_on;
  }

  bool visit(int directory_fd, const char* name, bool selected, std::size_t depth) {
    struct stat status {};
    if (::fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (has_vanished(errno)) {
        return true;
      }
      fail();
    }
    if (!S_ISDIR(status.st_mode)) {
      return !selected || send(directory_fd, name, status);
    }
    const bool enters = selection_.enters(steps_[depth + 1]);
    const std::size_t waiting = waiting_.size();
    if (selected) {
      if (!send(directory_fd, name, status)) {
        return false;
      }
    } else if (enters) {
      waiting_.emplace_back();
      fill(waiting_.back(), directory_fd, name, status);
    }
    const bool go_on = !enters || descend(directory_fd, name, depth);
    if (waiting_.size() > waiting) {
      waiting_.pop_back();  // nothing below it was sent
    }
    return go_on;
  }

  bool descend(int directory_fd, const char* name, std::size_t depth) {
    if (depth + 1 >= k_max_depth) {
      fail_on(path_, "too many directories inside each other", ErrorCode::too_large);
    }
    const UniqueFd fd(
        ::openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.is_open()) {
      if (has_vanished(errno)) {
        return true;
      }
      fail();
    }
    return walk_directory(fd.get(), depth + 1);
  }

  /// Sends the directories that wait for a first entry, then this one.
  bool send(int directory_fd, const char* name, const struct stat& status) {
    for (const FileEntry& directory : waiting_) {
      if (!on_entry_(directory)) {
        return false;
      }
    }
    waiting_.clear();
    fill(entry_, directory_fd, name, status);
    return on_entry_(entry_);
  }

  void fill(FileEntry& entry, int directory_fd, const char* name, const struct stat& status) {
    const mode_t type = status.st_mode & S_IFMT;
    entry.path = path_;
    entry.mode = to_go_mode(status.st_mode);
    entry.size = type == S_IFDIR || type == S_IFSOCK ? 0 : status.st_size;
    entry.modified_ns =
        std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    entry.changed_ns = std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec;
    entry.inode = status.st_ino;
    entry.link_name.clear();
    const bool is_device = type == S_IFBLK || type == S_IFCHR;
    entry.device_major = is_device ? ::gnu_dev_major(status.st_rdev) : 0;
    entry.device_minor = is_device ? ::gnu_dev_minor(status.st_rdev) : 0;
    entry.content = type == S_IFREG    ? FileEntry::Content::file
                    : type == S_IFSOCK ? FileEntry::Content::empty
                                       : FileEntry::Content::none;
    if (wants_attributes_) {
      attributes_.read(directory_fd, name, status.st_dev, entry.attributes);
    }
    if (type == S_IFLNK) {
      entry.link_name = read_link(directory_fd, name).value_or("");
    } else if (type != S_IFDIR && status.st_nlink > 1) {
      note_hard_link(entry, Inode(status.st_dev, status.st_ino));
    }
  }

  /// Only what is sent comes here, so the first path of an inode is one that the other side knows.
  void note_hard_link(FileEntry& entry, Inode inode) {
    const auto [first, is_new] = first_paths_.try_emplace(inode, entry.path);
    if (!is_new) {
      entry.link_name = first->second;
      entry.size = 0;
    }
  }

  const Selection& selection_;
  const EntrySink& on_entry_;
  bool wants_attributes_;
  std::string path_;
  std::deque<Selection::Step> steps_;  // by depth; a deque keeps references while it grows
  std::vector<FileEntry> waiting_;
  FileEntry entry_;
  AttributeReader attributes_;
  std::map<Inode, std::string> first_paths_;
};

}  // namespace

bool walk_tree(
    int root_fd, const Selection& selection, const EntrySink& on_entry, bool wants_attributes) {
  return Walker(selection, on_entry, wants_attributes).walk(root_fd);
}

}  // namespace freshet::engine
