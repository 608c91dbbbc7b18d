// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/attributes.hpp"

#include <fmt/format.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <string_view>

namespace freshet::engine {
namespace {

constexpr std::size_t k_first_try_bytes = 1024;
constexpr int k_most_tries = 4;  // an attribute may grow between asking its size and reading it

/// Calls `read(buffer, size)` with a buffer that is large enough, or fails with its result.
template <class Read>
ssize_t read_growing(std::string& buffer, const Read& read) {
  if (buffer.size() < k_first_try_bytes) {
    buffer.resize(k_first_try_bytes);
  }
  for (int i = 0; i < k_most_tries; ++i) {
    const ssize_t length = read(buffer.data(), buffer.size());
    if (length >= 0 || errno != ERANGE) {
      return length;
    }
    const ssize_t needed = read(nullptr, 0);
    if (needed < 0) {
      return needed;
    }
    buffer.resize(static_cast<std::size_t>(needed) + 1);
  }
  return -1;
}

}  // namespace

void AttributeReader::read(int directory_fd, const char* name, dev_t device, Attributes& out) {
  out.clear();
  if (!without_.empty() && without_.contains(device)) {
    return;
  }
  // There is no "at" form of these calls before Linux 6.13. The magic link is the directory itself,
  // however it is called by now, and `name` is a single part, which the l-calls do not follow.
  path_.clear();
  fmt::format_to(std::back_inserter(path_), "/proc/self/fd/{}/{}", directory_fd, name);
  const ssize_t length = read_growing(names_, [&](char* into, std::size_t size) {
    return ::llistxattr(path_.c_str(), into, size);
  });
  if (length < 0 && errno == ENOTSUP) {
    without_.insert(device);
  }
  for (ssize_t at = 0; at < length;) {
    const std::string_view attribute(names_.data() + at);
    at += static_cast<ssize_t>(attribute.size()) + 1;
    std::string value;
    const ssize_t value_length = read_growing(value, [&](char* into, std::size_t size) {
      return ::lgetxattr(path_.c_str(), attribute.data(), into, size);
    });
    if (value_length >= 0) {
      value.resize(static_cast<std::size_t>(value_length));
      out.emplace_back(attribute, std::move(value));
    }
  }
}

}  // namespace freshet::engine
