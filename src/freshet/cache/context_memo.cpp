// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/context_memo.hpp"

#include "freshet/base/error.hpp"
#include "freshet/cache/bounded_directory.hpp"
#include "freshet/oci/digest.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace freshet::cache {
namespace {

constexpr std::string_view k_header = "freshet context memo 1\n";
constexpr std::size_t k_max_file_bytes = 512UL << 20;
constexpr std::string_view k_suffix = ".memo";

template <class Number>
void put(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

/// Takes values from the front of `bytes`; false when they are not there.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class Number>
  bool get(Number& number) {
    if (bytes_.size() < sizeof number) {
      return false;
    }
    std::memcpy(&number, bytes_.data(), sizeof number);
    bytes_.remove_prefix(sizeof number);
    return true;
  }

  bool get_text(std::string_view& text) {
    std::uint32_t size = 0;
    if (!get(size) || bytes_.size() < size) {
      return false;
    }
    text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }

  bool is_at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

/// What stands between header and digest; nullopt when the file is not whole.
std::optional<std::string_view> body_of(std::string_view content) {
  const std::size_t digest_size = oci::Digest::of("").to_string().size();
  if (!content.starts_with(k_header) || content.size() < k_header.size() + digest_size) {
    return std::nullopt;
  }
  const std::string_view signed_part = content.substr(0, content.size() - digest_size);
  if (oci::Digest::of(signed_part).to_string() != content.substr(signed_part.size())) {
    return std::nullopt;
  }
  return signed_part.substr(k_header.size());
}

}  // namespace

bool is_settled(const FileState& state, std::int64_t read_at_ns) {
  constexpr std::int64_t k_millisecond = 1'000'000;
  // Linux stamps files with the time of its last tick, at most 10 ms ago; what counts in seconds
  // (old formats, shares of old servers) has no smaller digits.
  const bool counts_finely = state.changed_ns % k_millisecond != 0;
  const std::int64_t step = counts_finely ? 20 * k_millisecond : 2000 * k_millisecond;
  return state.changed_ns < read_at_ns - step;
}

ContextMemo ContextMemo::load(const fs::path& file) {
  ContextMemo memo;
  try {
    memo.content_ = std::make_unique<const std::string>(load_file(file, k_max_file_bytes));
  } catch (const Error&) {
    return memo;
  }
  const std::optional<std::string_view> body = body_of(*memo.content_);
  Reader reader(body.value_or(""));
  while (!reader.is_at_end()) {
    Known known;
    const bool is_whole = reader.get_text(known.path) && reader.get(known.state.size) &&
                          reader.get(known.state.modified_ns) &&
                          reader.get(known.state.changed_ns) && reader.get(known.state.inode) &&
                          reader.get_text(known.digest);
    if (!is_whole) {
      return {};
    }
    memo.files_.push_back(known);
  }
  return memo;
}

std::optional<std::string_view> ContextMemo::find(std::string_view path, const FileState& state) {
  const Known* known = find_path(path);
  return known != nullptr && known->state == state ? std::optional(known->digest) : std::nullopt;
}

const ContextMemo::Known* ContextMemo::find_path(std::string_view path) {
  if (next_ < files_.size() && files_[next_].path == path) {
    return &files_[next_++];
  }
  if (by_path_.empty()) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      by_path_.emplace(files_[i].path, i);
    }
  }
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    return nullptr;
  }
  next_ = found->second + 1;
  return &files_[found->second];
}

ContextMemoWriter::ContextMemoWriter() : content_(k_header) {}

void ContextMemoWriter::remember(
    std::string_view path, const FileState& state, std::string_view digest) {
  if (size_ == k_max_files) {
    return;
  }
  ++size_;
  put_text(content_, path);
  put(content_, state.size);
  put(content_, state.modified_ns);
  put(content_, state.changed_ns);
  put(content_, state.inode);
  put_text(content_, digest);
}

void ContextMemoWriter::save(const fs::path& file) {
  content_ += oci::Digest::of(content_).to_string();
  make_private_directory(file.parent_path());
  replace_private_file(file, content_);
  remove_oldest(file.parent_path(), k_suffix, k_max_memos);
}

}  // namespace freshet::cache
