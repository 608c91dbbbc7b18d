// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/reclaim/ownership.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace freshet::pipeline {
namespace {

constexpr int k_open_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// An open directory and its entries but `.` and `..`.
class Directory {
 public:
  /// Takes `fd` over; -1 makes one that is not open.
  explicit Directory(int fd) : fd_(fd), stream_(fd < 0 ? nullptr : ::fdopendir(fd)) {
    error_ = errno;
  }
  ~Directory() {
    if (stream_ != nullptr) {
      ::closedir(stream_);
    } else if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  bool is_open() const { return stream_ != nullptr; }
  int fd() const { return fd_; }
  /// Why it is not open, or why `next` ended; 0 for the end of the entries.
  int error() const { return error_; }

  /// The name of the next entry; nullptr at the end.
  const char* next() {
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream_);
      error_ = errno;
      if (entry == nullptr) {
        return nullptr;
      }
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
        return entry->d_name;
      }
    }
  }

 private:
  int fd_;
  DIR* stream_;
  int error_ = 0;
};

/// A directory of its own position for the one behind `fd`, which stays as it is.
int reopen(int fd) {
  return ::openat(fd, ".", k_open_flags);
}

bool lets_in(const struct stat& directory) {
  return (directory.st_mode & S_IRWXU) == S_IRWXU;
}

bool has_only_owned_entries(Directory& directory, uid_t user, dev_t device) {
  if (!directory.is_open()) {
    return false;
  }
  while (const char* name = directory.next()) {
    struct stat info {};
    if (::fstatat(directory.fd(), name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return false;
    }
    if (info.st_dev != device) {
      continue;
    }
    if (info.st_uid != user || (S_ISDIR(info.st_mode) && !lets_in(info))) {
      return false;
    }
    if (S_ISDIR(info.st_mode)) {
      Directory below(::openat(directory.fd(), name, k_open_flags));
      if (!has_only_owned_entries(below, user, device)) {
        return false;
      }
    }
  }
  return directory.error() == 0;
}

/// Gives the open directory itself to `owner`. Returns 0 or an error number.
int give_directory(int fd, const struct stat& info, Owner owner) {
  if (info.st_uid != owner.user && ::fchown(fd, owner.user, owner.group) != 0) {
    return errno;
  }
  if (!lets_in(info) && ::fchmod(fd, (info.st_mode & 07777) | S_IRWXU) != 0) {
    return errno;
  }
  return 0;
}

class Taker {
 public:
  Taker(Owner owner, dev_t device, OwnershipProblem on_problem)
      : owner_(owner), device_(device), on_problem_(on_problem) {}

  bool is_successful() const { return is_successful_; }

  void take(int directory, const char* name) {
    struct stat info {};
    int error = ::fstat(directory, &info) != 0 ? errno : 0;
    if (error == 0 && info.st_dev != device_) {
      ::close(directory);
      return;
    }
    if (error == 0) {
      error = give_directory(directory, info, owner_);
    }
    if (error != 0) {
      fail(name, error);
    }
    Directory entries(directory);
    if (!entries.is_open()) {
      fail(name, entries.error());
      return;
    }
    while (const char* entry = entries.next()) {
      take_entry(entries.fd(), entry);
    }
    if (entries.error() != 0) {
      fail(name, entries.error());
    }
  }

 private:
  void take_entry(int directory, const char* name) {
    struct stat info {};
    if (::fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) {
        fail(name, errno);
      }
      return;
    }
    if (info.st_dev != device_) {
      return;
    }
    if (S_ISDIR(info.st_mode)) {
      const int below = ::openat(directory, name, k_open_flags);
      if (below < 0) {
        fail(name, errno);
        return;
      }
      take(below, name);
    } else if (
        info.st_uid != owner_.user &&
        ::fchownat(directory, name, owner_.user, owner_.group, AT_SYMLINK_NOFOLLOW) != 0) {
      fail(name, errno);
    }
  }

  void fail(const char* name, int error) {
    is_successful_ = false;
    on_problem_(name, error);
  }

  Owner owner_;
  dev_t device_;
  OwnershipProblem on_problem_;
  bool is_successful_ = true;
};

}  // namespace

int open_directory_below(int root, const char* path) {
  int directory = reopen(root);
  while (directory >= 0 && *path != '\0') {
    const std::size_t length = std::strcspn(path, "/");
    char name[NAME_MAX + 1];
    if (length > NAME_MAX || (length == 2 && std::strncmp(path, "..", 2) == 0)) {
      ::close(directory);
      errno = length > NAME_MAX ? ENAMETOOLONG : EINVAL;
      return -1;
    }
    std::memcpy(name, path, length);
    name[length] = '\0';
    path += length + (path[length] == '/' ? 1 : 0);
    if (length == 0) {
      continue;
    }
    const int below = ::openat(directory, name, k_open_flags);
    const int error = errno;
    ::close(directory);
    errno = error;
    directory = below;
  }
  return directory;
}

bool is_all_owned_by(int directory, uid_t user) {
  struct stat info {};
  if (::fstat(directory, &info) != 0 || info.st_uid != user || !lets_in(info)) {
    return false;
  }
  Directory entries(reopen(directory));
  return has_only_owned_entries(entries, user, info.st_dev);
}

bool take_tree(int directory, Owner owner, OwnershipProblem on_problem) {
  struct stat info {};
  const int own = reopen(directory);
  if (own < 0 || ::fstat(own, &info) != 0) {
    on_problem(".", errno);
    if (own >= 0) {
      ::close(own);
    }
    return false;
  }
  Taker taker(owner, info.st_dev, on_problem);
  taker.take(own, ".");
  return taker.is_successful();
}

bool take_directory(int directory, Owner owner, OwnershipProblem on_problem) {
  if (::fchown(directory, owner.user, owner.group) != 0 ||
      ::fchmod(directory, S_IRWXU | S_IRWXG | S_IRWXO) != 0) {
    on_problem(".", errno);
    return false;
  }
  return true;
}

}  // namespace freshet::pipeline
