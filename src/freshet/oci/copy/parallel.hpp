// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <cstddef>
#include <functional>

namespace freshet::oci {

/// Awaits `work(0)` … `work(count - 1)`, begun in this order, at most `at_once` at a time. The
/// first failure cancels the others, is waited for and thrown; what the others threw is dropped.
Awaitable<void> for_each_at_once(
    std::size_t count, std::size_t at_once, std::function<Awaitable<void>(std::size_t)> work);

}  // namespace freshet::oci
