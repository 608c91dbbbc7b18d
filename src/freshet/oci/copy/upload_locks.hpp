// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/files.hpp"

#include <functional>
#include <optional>
#include <string>

namespace freshet::oci {

/// Locks by which programs that share a directory bring one blob to one repository once at a time.
/// They spare work and guarantee nothing: when a lock cannot be had, because of the disk or because
/// the waiter's patience has ended, it is done without.
class UploadLocks {
 public:
  /// Being the one; over with the object.
  class Held {
   public:
    Held(fs::path file, FileLock lock) : file_(std::move(file)), lock_(std::move(lock)) {}
    Held(Held&& other) noexcept;
    Held& operator=(Held&& other) noexcept;
    ~Held();

   private:
    fs::path file_;  // empty: moved from
    FileLock lock_;
  };

  struct Taken {
    std::optional<Held> lock;
    bool has_waited = false;  // then somebody else may have done the work
  };

  /// Of whoever waits: half an hour from its first wait on, however many locks it waits for.
  struct Patience {
    std::optional<Ctx::Clock::time_point> ends_at;
  };

  /// The directory is made when it is first needed. An empty path: there are no other programs.
  explicit UploadLocks(fs::path directory) : directory_(std::move(directory)) {}

  /// One at a time for each `name` in this program. `on_long_wait` is called once, after some
  /// seconds. To wait for several at once without an end, take them in the order of their names.
  /// Throws deadline_exceeded.
  Awaitable<Taken> take(
      Ctx ctx, std::string name, Patience& patience, std::function<void()> on_long_wait);

 private:
  Awaitable<Taken> wait_for(
      fs::path file, Patience& patience, std::function<void()> on_long_wait) const;
  void prepare();

  const fs::path directory_;
  bool is_prepared_ = false;
};

}  // namespace freshet::oci
