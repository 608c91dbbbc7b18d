// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/beneath.hpp"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace freshet::engine {
namespace {

int open_resolving(int root_fd, const std::string& path, int flags, std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = resolve;
  return static_cast<int>(::syscall(SYS_openat2, root_fd, path.c_str(), &how, sizeof how));
}

/// Old kernels lack openat2, old container sandboxes forbid it.
bool lacks_openat2() {
  return errno == ENOSYS || errno == EPERM;
}

/// Part by part, which is slower but needs nothing new from the kernel.
UniqueFd open_part_by_part(int root_fd, const std::string& path, int flags) {
  UniqueFd directory;
  for (std::size_t at = 0;;) {
    const std::size_t slash = path.find('/', at);
    const bool is_last = slash == std::string::npos;
    const std::string part = path.substr(at, is_last ? std::string::npos : slash - at);
    const int how = is_last ? flags : O_PATH | O_DIRECTORY;
    const int from = directory.is_open() ? directory.get() : root_fd;
    UniqueFd next(::openat(from, part.c_str(), how | O_NOFOLLOW | O_CLOEXEC));
    if (is_last || !next.is_open()) {
      return next;
    }
    directory = std::move(next);
    at = slash + 1;
  }
}

}  // namespace

UniqueFd open_beneath(int root_fd, const std::string& path, int flags) {
  const std::string& name = path.empty() ? "." : path;
  UniqueFd fd(open_resolving(root_fd, name, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
  if (fd.is_open() || !lacks_openat2()) {
    return fd;
  }
  return open_part_by_part(root_fd, name, flags);
}

UniqueFd open_inside(int root_fd, const std::string& path, int flags) {
  UniqueFd fd(open_resolving(root_fd, path, flags, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS));
  if (fd.is_open() || !lacks_openat2()) {
    return fd;
  }
  return open_part_by_part(root_fd, path, flags);  // links are refused there, which is safe
}

std::optional<std::string> read_link(int directory_fd, const std::string& name) {
  char buffer[PATH_MAX];
  const ssize_t length = ::readlinkat(directory_fd, name.c_str(), buffer, sizeof buffer);
  if (length < 0) {
    return std::nullopt;
  }
  return std::string(buffer, static_cast<std::size_t>(length));
}

}  // namespace freshet::engine
