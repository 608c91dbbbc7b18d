// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet {

/// `text` without control characters (line breaks become blanks, invalid UTF-8 becomes U+FFFD), cut
/// at `max_bytes` with `…`. Use it on everything that another program said and a person will read.
std::string printable(std::string_view text, std::size_t max_bytes);

std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);  // ASCII only
/// Splits at every `separator`; n separators give n+1 parts.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// The member of `known` that `word` most likely meant: one that starts with `word` (shortest
/// first), else the one at the smallest edit distance below 5 whose length differs by less than 3.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

/// `1.4 GB`, `312 kB`, `17 B`: decimal units, as registries and engines print them.
std::string human_size(std::uint64_t bytes);
/// `0.4s`, `12.3s`, `3m07s`.
std::string human_duration(std::chrono::milliseconds duration);

std::string to_hex(std::string_view bytes);
std::string to_base64(std::string_view bytes);
/// nullopt when `text` is not base64 (padding optional, both alphabets).
std::optional<std::string> from_base64(std::string_view text);
/// URL-safe alphabet with padding, as the engine wants its `X-Registry-Auth` header.
std::string to_base64_url(std::string_view bytes);

}  // namespace freshet
