// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace freshet::dockerfile {

/// Whether `text` names a signal of Linux: a number but 0, or a name with or without `SIG`.
/// Source: moby/sys/signal.
bool is_signal(std::string_view text);

}  // namespace freshet::dockerfile
