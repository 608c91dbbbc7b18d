// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/file_digest.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/cache/canonical.hpp"
#include "freshet/engine/filesync/beneath.hpp"
#include "freshet/oci/digest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <vector>

namespace freshet::cache {
namespace {

constexpr std::size_t k_chunk_bytes = 256 << 10;

[[noreturn]] void fail(const std::string& path, int system_error) {
  const std::string name = printable(path, 300);
  if (system_error == ENOENT || system_error == ENOTDIR || system_error == ELOOP) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("'{}' of the build context vanished while it was read", name));
  }
  const bool is_denied = system_error == EACCES || system_error == EPERM;
  throw Error(
      is_denied ? ErrorCode::forbidden : ErrorCode::unavailable,
      fmt::format("cannot read '{}' of the build context: {}", name, std::strerror(system_error)))
      .with_hint("exclude it in .dockerignore or make it readable");
}

UniqueFd open_entry(int root_fd, const std::string& path, int flags) {
  // Not to hang on a pipe that took the place of a file.
  UniqueFd fd = engine::open_beneath(root_fd, path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (!fd.is_open()) {
    fail(path, errno);
  }
  return fd;
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::int64_t real_time_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return nanoseconds(time);
}

FileState state_of(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    fail(path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    fail(path, ENOENT);
  }
  return {status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim), status.st_ino};
}

/// The value of one attribute; empty when it is gone.
std::string attribute_of(int fd, const char* name) {
  const ssize_t size = ::fgetxattr(fd, name, nullptr, 0);
  std::string value(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  const ssize_t length = ::fgetxattr(fd, name, value.data(), value.size());
  value.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return value;
}

/// Of the extended attributes; empty when there are none. SELinux' labels do not count: they say
/// where a file lies, and images have labels of their own.
std::string digest_attributes(int fd) {
  const ssize_t size = ::flistxattr(fd, nullptr, 0);
  if (size <= 0) {
    return {};
  }
  std::string names(static_cast<std::size_t>(size), '\0');
  const ssize_t length = ::flistxattr(fd, names.data(), names.size());
  names.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  std::map<std::string, std::string> attributes;
  for (const std::string& name : split(names, '\0')) {
    if (!name.empty() && name != "security.selinux") {
      attributes[name] = attribute_of(fd, name.c_str());
    }
  }
  if (attributes.empty()) {
    return {};
  }
  CanonicalList list;
  for (const auto& [name, value] : attributes) {
    list.add(name);
    list.add(value);
  }
  return oci::Digest::of(list.bytes()).to_string();
}

std::string digest_content(int fd, const std::string& path) {
  thread_local std::vector<char> chunk(k_chunk_bytes);
  oci::DigestHasher hasher;
  for (;;) {
    const ssize_t length = ::read(fd, chunk.data(), chunk.size());
    if (length == 0) {
      return hasher.finish().to_string();
    }
    if (length > 0) {
      hasher.update(std::string_view(chunk.data(), static_cast<std::size_t>(length)));
    } else if (errno != EINTR) {
      fail(path, errno);
    }
  }
}

}  // namespace

ReadFile digest_file(int root_fd, const std::string& path) {
  const std::int64_t read_at = real_time_ns();
  const UniqueFd fd = open_entry(root_fd, path, O_RDONLY);
  ReadFile out;
  out.state = state_of(fd.get(), path);
  out.digest = digest_content(fd.get(), path);
  const std::string attributes = digest_attributes(fd.get());
  if (!attributes.empty()) {
    out.digest += "+" + attributes;
  }
  out.is_settled = state_of(fd.get(), path) == out.state && is_settled(out.state, read_at);
  return out;
}

std::string digest_directory(int root_fd, const std::string& path) {
  return digest_attributes(open_entry(root_fd, path, O_RDONLY | O_DIRECTORY).get());
}

}  // namespace freshet::cache
