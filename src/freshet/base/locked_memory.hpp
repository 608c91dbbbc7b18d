// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace freshet {

/// A copy of some bytes in memory that is kept out of swap and of core dumps, and is wiped before
/// it is given back. Thread-safe as a whole: copies share nothing.
///
/// All of them share a few pages, since locking costs a call of the system and counts whole pages
/// against a limit (RLIMIT_MEMLOCK). Beyond that limit memory is used that is not locked: a
/// password that might be swapped is better than a program that does not run.
class LockedBytes {
 public:
  LockedBytes() = default;
  /// Throws std::bad_alloc.
  explicit LockedBytes(std::string_view bytes);
  LockedBytes(const LockedBytes& other) : LockedBytes(other.view()) {}
  LockedBytes(LockedBytes&& other) noexcept;
  LockedBytes& operator=(LockedBytes other) noexcept;
  ~LockedBytes();

  /// Its pointer is never null.
  std::string_view view() const { return data_ == nullptr ? "" : std::string_view(data_, size_); }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace freshet
