// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/files.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/ids.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace freshet {
namespace {

Error file_error(int code, std::string_view verb, const fs::path& path) {
  const std::string message =
      fmt::format("cannot {} '{}': {}", verb, path.string(), std::strerror(code));
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return Error(ErrorCode::not_found, message);
    case EACCES:
    case EPERM:
      return Error(ErrorCode::forbidden, message);
    default:
      return Error(ErrorCode::unavailable, message);
  }
}

/// Whether `path` still names the open file: it may have been removed, or made anew, meanwhile.
bool is_file_at(const fs::path& path, int fd) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

void write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno != EINTR) {
      throw file_error(errno, "write", path);
    }
    content.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = other.release();
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

int UniqueFd::release() {
  return std::exchange(fd_, -1);
}

std::string load_file(const fs::path& path, std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.is_open()) {
    throw file_error(errno, "read", path);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    throw Error(
        ErrorCode::invalid_input, fmt::format("'{}' is a directory, not a file", path.string()));
  }
  std::string content;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      throw file_error(errno, "read", path);
    }
    if (count == 0) {
      return content;
    }
    content.append(buffer.data(), static_cast<std::size_t>(count));
    sodium_memzero(buffer.data(), static_cast<std::size_t>(count));  // it may have been a key
    if (content.size() > max_bytes) {
      throw Error(
          ErrorCode::too_large,
          fmt::format("'{}' is larger than the limit of {} bytes", path.string(), max_bytes));
    }
  }
}

void replace_private_file(const fs::path& path, std::string_view content) {
  const fs::path temporary = fs::path(path).concat("." + make_id());
  const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.is_open()) {
    throw file_error(errno, "create", temporary);
  }
  try {
    write_all(fd.get(), content, path);
    if (::fsync(fd.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
      throw file_error(errno, "write", path);
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void make_private_directory(const fs::path& path) {
  // The parent of `a/b/` is `a/b`: it would be made with the mode of a parent.
  const fs::path directory = path.has_filename() ? path : path.parent_path();
  std::error_code code;
  if (directory.has_parent_path()) {
    fs::create_directories(directory.parent_path(), code);
  }
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    throw file_error(errno, "create", directory);
  }
}

void require_private(const fs::path& path, std::string_view what) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) {
      return;
    }
    throw file_error(errno, "look at", path);
  }
  if (info.st_uid != ::geteuid()) {
    throw Error(
        ErrorCode::forbidden,
        fmt::format("{} '{}' belongs to another user (uid {})", what, path.string(), info.st_uid))
        .with_hint("run freshet as that user, or use another --data-dir");
  }
  if ((info.st_mode & 077) != 0) {
    const bool is_directory = S_ISDIR(info.st_mode);
    throw Error(
        ErrorCode::forbidden,
        fmt::format(
            "{} '{}' can be read by others (mode {:04o})",
            what,
            path.string(),
            info.st_mode & 07777))
        .with_hint(fmt::format(
            "run 'chmod {} {}', and renew the stored passwords if others may have read it",
            is_directory ? "700" : "600",
            path.string()));
  }
}

std::optional<FileLock> FileLock::try_acquire(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.is_open()) {
    throw file_error(errno, "open", path);
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return std::nullopt;
    }
    throw file_error(errno, "lock", path);
  }
  if (!is_file_at(path, fd.get())) {
    return std::nullopt;
  }
  return FileLock(std::move(fd));
}

std::string remove_tree(const fs::path& path) {
  std::error_code code;
  fs::remove_all(path, code);
  return code ? fmt::format("cannot remove '{}': {}", path.string(), code.message())
              : std::string();
}

}  // namespace freshet
