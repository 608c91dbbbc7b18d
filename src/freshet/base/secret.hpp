// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/locked_memory.hpp"

#include <fmt/format.h>

#include <iosfwd>
#include <string>
#include <string_view>

namespace freshet {

/// A credential in memory. It cannot be printed (every formatter shows `***`), is compared in
/// constant time, is kept out of swap and of core dumps where the system allows it, and its bytes
/// are wiped when it goes.
///
/// That holds for this object alone. What a password was read into, the text of a request that
/// carries it, and the copies that libcurl and OpenSSL keep (a proxy's password, a client's key)
/// are ordinary memory for as long as they live.
class Secret {
 public:
  Secret() = default;
  /// Wipes `value`; what it was copied from is the caller's.
  explicit Secret(std::string value);

  /// The plain text: hand it to the wire or to a cipher, never to a message.
  std::string_view reveal() const { return value_.view(); }
  bool is_empty() const { return reveal().empty(); }
  bool operator==(const Secret& other) const;

 private:
  LockedBytes value_;
};

std::ostream& operator<<(std::ostream& out, const Secret& secret);

}  // namespace freshet

template <>
struct fmt::formatter<freshet::Secret> : fmt::formatter<std::string_view> {
  auto format(const freshet::Secret&, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format("***", context);
  }
};
