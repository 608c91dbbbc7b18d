// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <functional>

namespace freshet::engine {

/// Runs `work` on a thread of its own and awaits its end. Cancelling calls `interrupt` (on the
/// caller's executor), after which `work` must end soon; the cancellation is reported only then.
/// Everything that `work` posted to the caller's executor through `post` ran before this returns.
///
/// Throws: what `work` throws; system_error(operation_aborted) when it was cancelled.
using Post = std::function<void(std::function<void()>)>;
Awaitable<void> run_blocking(
    std::function<void(const Post& post)> work, std::function<void()> interrupt);

}  // namespace freshet::engine
