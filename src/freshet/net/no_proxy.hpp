// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace freshet::net {

/// Whether `no_proxy` (the value of that environment variable) takes `host` (as in `Url::host`) out
/// of what goes through a proxy: its members, separated by commas or blanks, are `*`, names (which
/// stand for all below them too), addresses and networks.
/// Source: curl(1), "NO_PROXY".
bool is_exempt_from_proxy(std::string_view no_proxy, std::string_view host);

}  // namespace freshet::net
