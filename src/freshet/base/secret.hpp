// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <iosfwd>
#include <string>
#include <string_view>

namespace freshet {

/// A credential in memory. It cannot be printed (every formatter shows `***`), is compared in
/// constant time, and its bytes are wiped when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  /// The plain text: hand it to the wire or to a cipher, never to a message.
  std::string_view reveal() const { return value_; }
  bool is_empty() const { return value_.empty(); }
  bool operator==(const Secret& other) const;

 private:
  void wipe() noexcept;

  std::string value_;
};

std::ostream& operator<<(std::ostream& out, const Secret& secret);

}  // namespace freshet

template <>
struct fmt::formatter<freshet::Secret> : fmt::formatter<std::string_view> {
  auto format(const freshet::Secret&, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format("***", context);
  }
};
