// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/net/retry.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace freshet::oci {

class UploadJournal;

/// How one registry is dealt with. What is pointed to must outlive its user.
struct RegistryOptions {
  /// Speak http to a host that is not this machine. Only when a user asked for it.
  bool is_plain_http_allowed = false;
  /// host[:port] of the only token server that may be asked; empty: any that can be trusted.
  std::string token_server;
  net::RetryPolicy retry;
  /// Where unfinished uploads are kept for the next run of the program; null: nowhere.
  UploadJournal* journal = nullptr;
  /// Told in one line when something takes long for a reason (a rest that the registry demands),
  /// and when few of the pulls are left that the registry allows.
  std::function<void(std::string_view line)> notice;
  /// Waits between attempts; empty: by the clock. Tests put their own in.
  std::function<Awaitable<void>(Ctx::Clock::duration)> rest;
  net::Random random;  // empty: the program's own
};

}  // namespace freshet::oci
