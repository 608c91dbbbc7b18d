// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <numeric>

namespace freshet {
namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";  // U+FFFD in UTF-8

/// Length of the valid UTF-8 sequence at the start of `text`, 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    low = lead == 0xE0 ? 0xA0 : 0x80;
    high = lead == 0xED ? 0x9F : 0xBF;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    low = lead == 0xF0 ? 0x90 : 0x80;
    high = lead == 0xF4 ? 0x8F : 0xBF;
  }
  if (length == 0 || text.size() < length || byte(1) < low || byte(1) > high) {
    return 0;
  }
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  return length;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

std::string encode_base64(std::string_view bytes, int variant) {
  std::string out(sodium_base64_ENCODED_LEN(bytes.size(), variant), '\0');
  sodium_bin2base64(
      out.data(),
      out.size(),
      reinterpret_cast<const unsigned char*>(bytes.data()),
      bytes.size(),
      variant);
  out.resize(out.size() - 1);  // the terminating zero
  return out;
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    std::string_view piece = length == 0 ? k_replacement : text.substr(0, length);
    if (length == 1) {
      const auto c = static_cast<unsigned char>(text[0]);
      if (is_blank(text[0])) {
        piece = " ";
      } else if (c < 0x20 || c == 0x7F) {
        piece = {};
      }
    } else if (
        length == 2 && static_cast<unsigned char>(text[0]) == 0xC2 &&
        static_cast<unsigned char>(text[1]) < 0xA0) {
      piece = {};  // C1 controls: some terminals obey them
    }
    if (out.size() + piece.size() > max_bytes) {
      return out + "…";
    }
    out += piece;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return std::string(trim(out));
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t k_max_distance = 5;
  constexpr std::size_t k_max_length_difference = 3;
  const std::string* best = nullptr;
  for (const std::string& candidate : known) {
    if (!word.empty() && candidate.starts_with(word) &&
        (best == nullptr || candidate.size() < best->size())) {
      best = &candidate;
    }
  }
  if (best != nullptr) {
    return *best;
  }
  std::size_t best_distance = k_max_distance;
  for (const std::string& candidate : known) {
    const std::size_t longer = std::max(candidate.size(), word.size());
    const std::size_t shorter = std::min(candidate.size(), word.size());
    if (longer - shorter >= k_max_length_difference) {
      continue;
    }
    const std::size_t distance = edit_distance(word, candidate);
    // A distance as large as the word itself has nothing in common with it.
    if (distance < best_distance && distance < longer) {
      best_distance = distance;
      best = &candidate;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::uint64_t k_step = 1000;
  if (bytes < k_step) {
    return fmt::format("{} B", bytes);
  }
  auto value = static_cast<double>(bytes);
  std::string_view unit;
  for (const std::string_view next : {"kB", "MB", "GB", "TB"}) {
    value /= k_step;
    unit = next;
    if (value < 999.5) {  // from there on it would be shown as 1000
      break;
    }
  }
  return value < 99.95 ? fmt::format("{:.1f} {}", value, unit)
                       : fmt::format("{:.0f} {}", value, unit);
}

std::string human_duration(std::chrono::milliseconds duration) {
  const auto total = duration.count();
  if (total < 59'950) {  // from there on it would be shown as 60.0s
    return fmt::format("{:.1f}s", static_cast<double>(total) / 1000);
  }
  const auto seconds = (total + 500) / 1000;
  return seconds < 3600 ? fmt::format("{}m{:02}s", seconds / 60, seconds % 60)
                        : fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  return encode_base64(bytes, sodium_base64_VARIANT_ORIGINAL);
}

std::string to_base64_url(std::string_view bytes) {
  return encode_base64(bytes, sodium_base64_VARIANT_URLSAFE);
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string standard(text);
  for (int padding = 0; padding < 2 && standard.ends_with('='); ++padding) {
    standard.pop_back();
  }
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  std::string out(standard.size(), '\0');
  std::size_t length = 0;
  const char* end = nullptr;
  const int outcome = sodium_base642bin(
      reinterpret_cast<unsigned char*>(out.data()),
      out.size(),
      standard.data(),
      standard.size(),
      "\r\n",
      &length,
      &end,
      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  if (outcome != 0 || end != standard.data() + standard.size()) {
    return std::nullopt;
  }
  out.resize(length);
  return out;
}

}  // namespace freshet
