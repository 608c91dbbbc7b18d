// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/session_id.hpp"

#include "freshet/base/ids.hpp"
#include "freshet/base/text.hpp"

#include <sodium/crypto_generichash.h>

#include <array>
#include <cstdint>
#include <optional>

namespace freshet::engine {
namespace {

constexpr std::string_view k_ignore_file = ".dockerignore";

/// Some file systems tell times no better than this: what changed later may change again unseen.
constexpr std::int64_t k_settled_after_ns = 2'000'000'000;

class Hash {
 public:
  Hash() { crypto_generichash_init(&state_, nullptr, 0, digest_.size()); }

  void add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    add_bytes(text.data(), text.size());
  }

  void add(std::int64_t number) { add_bytes(&number, sizeof number); }

  std::string finish() {
    crypto_generichash_final(&state_, digest_.data(), digest_.size());
    return to_hex({reinterpret_cast<const char*>(digest_.data()), digest_.size()});
  }

 private:
  void add_bytes(const void* bytes, std::size_t size) {
    crypto_generichash_update(&state_, static_cast<const unsigned char*>(bytes), size);
  }

  crypto_generichash_state state_;
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest_;
};

std::string read_all(const FileTree& tree, const std::string& path) {
  const std::unique_ptr<FileContent> content = tree.open(path);
  std::string text;
  std::array<char, 16 * 1024> chunk;
  std::size_t length = 0;
  do {
    length = content->read(chunk.data(), chunk.size());
    text.append(chunk.data(), length);
  } while (length == chunk.size());
  return text;
}

/// nullopt where there is none, or none that can be read: all is taken for part of the context
/// then.
std::optional<std::string> find_ignore_file(const FileTree& tree, const std::string& path) {
  try {
    return read_all(tree, path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void add_entry(Hash& hash, const FileEntry& entry) {
  hash.add(entry.path);
  hash.add(entry.mode);
  hash.add(entry.size);
  hash.add(entry.modified_ns);
  // Extended attributes cannot change without this one.
  hash.add(entry.changed_ns);
  hash.add(static_cast<std::int64_t>(entry.inode));
  hash.add(entry.link_name);
  hash.add(entry.device_major);
  hash.add(entry.device_minor);
}

std::int64_t to_ns(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

std::vector<std::string> parse_ignore_file(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(k_byte_order_mark)) {
    text.remove_prefix(k_byte_order_mark.size());
  }
  std::vector<std::string> patterns;
  for (const std::string& line : split(text, '\n')) {
    std::string_view pattern = trim(line);
    if (line.starts_with('#') || pattern.empty()) {
      continue;
    }
    const bool takes_back = pattern.starts_with('!');
    pattern = trim(pattern.substr(takes_back ? 1 : 0));
    if (pattern.size() > 1 && pattern.starts_with('/')) {
      pattern.remove_prefix(1);
    }
    patterns.push_back((takes_back ? "!" : "") + std::string(pattern));
  }
  return patterns;
}

std::string find_session_id(
    std::chrono::system_clock::time_point now,
    const std::string& source_key,
    const DockerfileSource& dockerfile,
    const FileTree& context) {
  Hash hash;
  hash.add(source_key);
  dockerfile.tree->list({}, [&](const FileEntry& entry) {
    hash.add(entry.path);
    hash.add(read_all(*dockerfile.tree, entry.path));
    return true;
  });
  std::optional<std::string> ignored =
      find_ignore_file(*dockerfile.tree, dockerfile.file_name + std::string(k_ignore_file));
  if (!ignored) {
    ignored = find_ignore_file(context, std::string(k_ignore_file));
  }
  FileFilter filter;
  filter.exclude_patterns = parse_ignore_file(ignored.value_or(""));
  filter.wants_attributes = false;
  hash.add(ignored.value_or(""));
  const std::int64_t settled_before = to_ns(now) - k_settled_after_ns;
  bool is_settled = true;
  context.list(filter, [&](const FileEntry& entry) {
    add_entry(hash, entry);
    is_settled = entry.modified_ns < settled_before && entry.changed_ns < settled_before;
    return is_settled;
  });
  return is_settled ? hash.finish() : make_id();
}

}  // namespace freshet::engine
