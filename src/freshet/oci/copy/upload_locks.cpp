// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/upload_locks.hpp"

#include "freshet/oci/digest.hpp"

#include <utility>
#include <vector>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;

constexpr auto k_poll = 50ms;
constexpr auto k_long_wait = 3s;
constexpr auto k_longest_wait = 30min;  // whoever takes longer may as well be stopped
constexpr std::string_view k_extension = ".upload";

/// Those of programs that were killed.
void drop_idle_locks(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code ignored;
  fs::directory_iterator entry(directory, ignored);
  for (; !ignored && entry != fs::directory_iterator(); entry.increment(ignored)) {
    if (entry->path().extension() == k_extension) {
      files.push_back(entry->path());
    }
  }
  for (const fs::path& file : files) {
    if (const auto lock = FileLock::try_acquire(file)) {
      fs::remove(file, ignored);
    }
  }
}

}  // namespace

UploadLocks::Held::Held(Held&& other) noexcept
    : file_(std::exchange(other.file_, {})), lock_(std::move(other.lock_)) {}

UploadLocks::Held& UploadLocks::Held::operator=(Held&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(lock_, other.lock_);
  return *this;
}

UploadLocks::Held::~Held() {
  if (!file_.empty()) {
    std::error_code ignored;
    fs::remove(file_, ignored);  // while it is held
  }
}

void UploadLocks::prepare() {
  if (!is_prepared_) {
    make_private_directory(directory_);
    drop_idle_locks(directory_);
    is_prepared_ = true;
  }
}

Awaitable<UploadLocks::Taken> UploadLocks::take(
    Ctx ctx, std::string name, Patience& patience, std::function<void()> on_long_wait) {
  if (directory_.empty()) {
    co_return Taken();
  }
  std::string file(Digest::of(name).hex());
  file += k_extension;
  try {
    prepare();
    auto waiting = wait_for(directory_ / file, patience, std::move(on_long_wait));
    co_return co_await with_deadline(
        ctx, "waiting for another program's upload of the same", std::move(waiting));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::deadline_exceeded) {
      throw;
    }
  }
  co_return Taken();
}

Awaitable<UploadLocks::Taken> UploadLocks::wait_for(
    fs::path file, Patience& patience, std::function<void()> on_long_wait) const {
  const auto begun = Ctx::Clock::now();
  Taken taken;
  bool is_told = false;
  for (;;) {
    if (std::optional<FileLock> lock = FileLock::try_acquire(file)) {
      taken.lock.emplace(std::move(file), std::move(*lock));
      co_return taken;
    }
    const auto now = Ctx::Clock::now();
    patience.ends_at = patience.ends_at.value_or(now + k_longest_wait);
    if (now >= *patience.ends_at) {
      co_return taken;
    }
    if (now - begun > k_long_wait && !std::exchange(is_told, true) && on_long_wait) {
      on_long_wait();
    }
    taken.has_waited = true;
    co_await sleep_for(k_poll);
  }
}

}  // namespace freshet::oci
