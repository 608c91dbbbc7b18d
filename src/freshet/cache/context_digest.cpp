// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/context_digest.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/cache/canonical.hpp"
#include "freshet/cache/context_memo.hpp"
#include "freshet/cache/file_digest.hpp"
#include "freshet/engine/filesync/walker.hpp"
#include "freshet/oci/digest.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>

namespace freshet::cache {
namespace {

/// More tell on no machine: a context is read from one disk.
constexpr unsigned k_most_threads = 32;
constexpr std::int64_t k_large_file = 8 << 20;

using engine::FileEntry;

/// One listed entry on its way to its state.
struct Item {
  std::string path;
  std::uint32_t mode = 0;
  std::string link_name;
  std::int64_t device_major = 0;
  std::int64_t device_minor = 0;
  bool has_content = false;
  FileState state;  // of its content, as it was read
  std::string content;  // digest of it; empty where there is none
  bool is_settled = false;
};

Item to_item(const FileEntry& entry) {
  Item item;
  item.path = entry.path;
  item.mode = entry.mode;
  item.link_name = entry.link_name;
  item.device_major = entry.device_major;
  item.device_minor = entry.device_minor;
  // Of the paths of one inode the first one is read; the others have it as their link.
  item.has_content = entry.content == FileEntry::Content::file && entry.link_name.empty();
  item.state = {entry.size, entry.modified_ns, entry.changed_ns, entry.inode};
  return item;
}

bool is_directory(const Item& item) {
  constexpr std::uint32_t k_go_directory = 1u << 31;
  return (item.mode & k_go_directory) != 0;
}

bool is_symbolic_link(const Item& item) {
  constexpr std::uint32_t k_go_symbolic_link = 1u << 27;
  return (item.mode & k_go_symbolic_link) != 0;
}

UniqueFd open_root(const fs::path& root) {
  UniqueFd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) {
    const bool is_denied = errno == EACCES || errno == EPERM;
    throw Error(
        is_denied ? ErrorCode::forbidden : ErrorCode::not_found,
        fmt::format("cannot read the build context '{}': {}", root.string(), std::strerror(errno)));
  }
  return fd;
}

/// Calls `work` with every number below `count`, on all cores. Throws what the first failure threw.
template <class Work>
void for_each_in_parallel(std::size_t count, const Work& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) {
        work(i);
      }
    } catch (...) {
      next = count;
      const std::lock_guard lock(mutex);
      failure = failure ? failure : std::current_exception();
    }
  };
  const std::size_t threads = std::min<std::size_t>(
      std::clamp(std::thread::hardware_concurrency(), 1U, k_most_threads), count);
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < threads; ++i) {
      helpers.emplace_back(run);
    }
    run();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

std::vector<Item> list(int root_fd, const ContextRequest& request) {
  std::vector<Item> items;
  const engine::Selection selection(std::nullopt, request.excludes);
  const auto add = [&](const FileEntry& entry) {
    items.push_back(to_item(entry));
    return true;
  };
  engine::walk_tree(root_fd, selection, add, false);
  return items;
}

/// The entries that have to be read. Large files first, so that none is left to one core at the
/// end.
std::vector<Item*> choose_unread(std::vector<Item>& items, ContextMemo& memo) {
  std::vector<Item*> unread;
  std::vector<Item*> large;
  for (Item& item : items) {
    if (is_directory(item)) {
      unread.push_back(&item);  // its attributes
    } else if (item.has_content) {
      if (const auto known = memo.find(item.path, item.state)) {
        item.content = *known;
        item.is_settled = true;
      } else {
        (item.state.size >= k_large_file ? large : unread).push_back(&item);
      }
    }
  }
  unread.insert(unread.begin(), large.begin(), large.end());
  return unread;
}

struct Reading {
  std::atomic<std::size_t> files = 0;
  std::atomic<std::uint64_t> bytes = 0;
};

void read_contents(int root_fd, const std::vector<Item*>& unread, Reading& reading) {
  for_each_in_parallel(unread.size(), [&](std::size_t i) {
    Item& item = *unread[i];
    if (is_directory(item)) {
      item.content = digest_directory(root_fd, item.path);
      return;
    }
    ReadFile read = digest_file(root_fd, item.path);
    ++reading.files;
    reading.bytes += static_cast<std::uint64_t>(read.state.size);
    item.content = std::move(read.digest);
    item.state = read.state;
    item.is_settled = read.is_settled;
  });
}

void save_memo(const std::vector<Item>& items, const fs::path& file) {
  ContextMemoWriter writer;
  for (const Item& item : items) {
    if (item.has_content && item.is_settled) {
      writer.remember(item.path, item.state, item.content);
    }
  }
  try {
    writer.save(file);
  } catch (const Error&) {
    // The next run reads the files again.
  }
}

std::string state_text(const Item& item) {
  CanonicalList state;
  state.add(std::to_string(item.mode));
  state.add(item.link_name);
  state.add(std::to_string(item.device_major));
  state.add(std::to_string(item.device_minor));
  state.add(item.content);
  return state.bytes();
}

}  // namespace

ContextDigest digest_context(const ContextRequest& request) {
  const UniqueFd root = open_root(request.root);
  ContextMemo memo = request.memo.empty() ? ContextMemo() : ContextMemo::load(request.memo);
  std::vector<Item> items = list(root.get(), request);
  Reading reading;
  read_contents(root.get(), choose_unread(items, memo), reading);
  ContextDigest out;
  out.bytes_read = reading.bytes;
  oci::DigestHasher hasher;
  out.entries.reserve(items.size());
  for (const Item& item : items) {
    if (item.has_content) {
      ++out.files;
      out.bytes += static_cast<std::uint64_t>(item.state.size);
    }
    CanonicalList line;
    std::string state = state_text(item);
    line.add(item.path);
    line.add(state);
    hasher.update(line.bytes());
    out.entries.push_back({item.path, std::move(state), is_symbolic_link(item), item.link_name});
  }
  out.digest = hasher.finish().to_string();
  const bool has_news = reading.files > 0 || out.files != memo.size();
  if (!request.memo.empty() && has_news) {
    save_memo(items, request.memo);
  }
  return out;
}

}  // namespace freshet::cache
