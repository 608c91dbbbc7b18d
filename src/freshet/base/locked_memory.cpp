// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/locked_memory.hpp"

#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bitset>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace freshet {
namespace {

/// What is handed out is a multiple of this; most passwords and tokens need one or few.
constexpr std::size_t k_cell_bytes = 64;
/// The limit of many a machine is 64 KiB for a user's process, and libraries lock pages too.
constexpr std::size_t k_block_bytes = 16UL * 1024;
constexpr std::size_t k_cells = k_block_bytes / k_cell_bytes;
/// More than this gets pages of its own.
constexpr std::size_t k_max_shared_bytes = k_block_bytes / 4;

char* map_pages(std::size_t bytes) {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    throw std::bad_alloc();
  }
  // Neither is refused but for the limit or by a kernel that does not know it.
  static_cast<void>(::mlock(pages, bytes));
  static_cast<void>(::madvise(pages, bytes, MADV_DONTDUMP));
  return static_cast<char*>(pages);
}

std::size_t whole_pages(std::size_t bytes) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

std::size_t cells_for(std::size_t bytes) {
  return (bytes + k_cell_bytes - 1) / k_cell_bytes;
}

/// Pages that are handed out in cells.
class Block {
 public:
  Block() : start_(map_pages(k_block_bytes)) {}

  /// nullptr when no run of free cells is as long.
  char* take(std::size_t cells) {
    std::size_t run = 0;
    for (std::size_t cell = 0; cell < k_cells; ++cell) {
      run = is_taken_[cell] ? 0 : run + 1;
      if (run == cells) {
        mark(cell + 1 - cells, cells, true);
        return start_ + (cell + 1 - cells) * k_cell_bytes;
      }
    }
    return nullptr;
  }

  bool holds(const char* data) const { return data >= start_ && data < start_ + k_block_bytes; }

  void give_back(const char* data, std::size_t cells) {
    mark(static_cast<std::size_t>(data - start_) / k_cell_bytes, cells, false);
  }

 private:
  void mark(std::size_t first, std::size_t count, bool is_taken) {
    for (std::size_t cell = first; cell < first + count; ++cell) {
      is_taken_[cell] = is_taken;
    }
  }

  char* start_;  // stays mapped: the next secret comes
  std::bitset<k_cells> is_taken_;
};

class Blocks {
 public:
  char* take(std::size_t bytes) {
    const std::size_t cells = cells_for(bytes);
    const std::lock_guard lock(mutex_);
    for (Block& block : blocks_) {
      if (char* data = block.take(cells)) {
        return data;
      }
    }
    return blocks_.emplace_back().take(cells);
  }

  void give_back(const char* data, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto block = std::ranges::find_if(
        blocks_, [data](const Block& candidate) { return candidate.holds(data); });
    block->give_back(data, cells_for(bytes));
  }

 private:
  std::mutex mutex_;
  std::vector<Block> blocks_;
};

/// Never destroyed: secrets of static objects go after everything else.
Blocks& blocks() {
  static Blocks& blocks = *new Blocks();
  return blocks;
}

}  // namespace

LockedBytes::LockedBytes(std::string_view bytes) : size_(bytes.size()) {
  if (bytes.empty()) {
    return;
  }
  data_ = size_ > k_max_shared_bytes ? map_pages(whole_pages(size_)) : blocks().take(size_);
  std::memcpy(data_, bytes.data(), size_);
}

LockedBytes::LockedBytes(LockedBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

LockedBytes& LockedBytes::operator=(LockedBytes other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

LockedBytes::~LockedBytes() {
  if (data_ == nullptr) {
    return;
  }
  sodium_memzero(data_, size_);
  if (size_ > k_max_shared_bytes) {
    ::munmap(data_, whole_pages(size_));  // which unlocks them
  } else {
    blocks().give_back(data_, size_);
  }
}

}  // namespace freshet
