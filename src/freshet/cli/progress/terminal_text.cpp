// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/progress/terminal_text.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace freshet::cli {
namespace {

constexpr char k_escape = '\x1B';

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// Where the code point numbered `count` starts; the end when there are no more.
std::size_t offset_of(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!is_continuation(text[at]) && count-- == 0) {
      break;
    }
  }
  return at;
}

/// Length of the escape sequence at the start of `text`, which starts with ESC.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) {
    return text.size();
  }
  if (text[1] == '[') {  // CSI: parameters, then one final byte
    std::size_t i = 2;
    while (i < text.size() && (text[i] < '@' || text[i] > '~')) {
      ++i;
    }
    return std::min(i + 1, text.size());
  }
  constexpr std::string_view k_string_openers = "]PX^_";  // OSC, DCS, SOS, PM, APC
  if (k_string_openers.find(text[1]) != std::string_view::npos) {
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] == '\a') {
        return i + 1;
      }
      if (text[i] == k_escape && i + 1 < text.size() && text[i + 1] == '\\') {
        return i + 2;
      }
    }
    return text.size();
  }
  return 2;
}

bool is_colour(std::string_view sequence) {
  return sequence.size() >= 3 && sequence[1] == '[' && sequence.back() == 'm' &&
         std::all_of(sequence.begin() + 2, sequence.end() - 1, [](char c) {
           return (c >= '0' && c <= '9') || c == ';' || c == ':';
         });
}

/// What a terminal would show at the end of a line that overwrote itself.
std::string_view last_state(std::string_view line) {
  while (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  const std::size_t start = line.rfind('\r');
  return start == std::string_view::npos ? line : line.substr(start + 1);
}

}  // namespace

std::string terminal_safe(std::string_view line, bool keep_colours) {
  std::string_view rest = last_state(line);
  std::string out;
  while (!rest.empty()) {
    const auto c = static_cast<unsigned char>(rest.front());
    std::size_t length = 1;
    if (rest.front() == k_escape) {
      length = escape_length(rest);
      if (keep_colours && is_colour(rest.substr(0, length))) {
        out += rest.substr(0, length);
      }
    } else if (c == 0xC2 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xA0) {
      length = 2;  // C1 controls in UTF-8: some terminals obey them
    } else if (c == '\t' || (c >= 0x20 && c != 0x7F)) {
      out += rest.front();
    }
    rest.remove_prefix(length);
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string fit(std::string_view text, std::size_t columns) {
  if (width_of(text) <= columns) {
    return std::string(text);
  }
  const std::size_t kept = std::max<std::size_t>(columns, 1) - 1;
  return std::string(text.substr(0, offset_of(text, kept))) + "…";
}

std::string fit_middle(std::string_view text, std::size_t columns) {
  const std::size_t width = width_of(text);
  if (width <= columns) {
    return std::string(text);
  }
  const std::size_t kept = std::max<std::size_t>(columns, 1) - 1;
  const std::size_t at_end = kept / 2;
  return fmt::format(
      "{}…{}",
      text.substr(0, offset_of(text, kept - at_end)),
      text.substr(offset_of(text, width - at_end)));
}

std::optional<std::size_t> terminal_columns(std::FILE* out) {
  constexpr std::size_t k_least = 40;
  winsize size{};
  const bool is_known = ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= k_least;
  return is_known ? std::optional<std::size_t>(size.ws_col) : std::nullopt;
}

}  // namespace freshet::cli
