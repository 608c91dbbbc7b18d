// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/signals.hpp"

#include "freshet/dockerfile/characters.hpp"

#include <charconv>
#include <set>
#include <string>

namespace freshet::dockerfile {
namespace {

/// `RTMIN+1` to `RTMIN+15`, `RTMAX-1` to `RTMAX-14`.
bool is_realtime_offset(std::string_view text, std::string_view sign, int last) {
  if (!text.starts_with(sign)) {
    return false;
  }
  text.remove_prefix(sign.size());
  int number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size() && number >= 1 && number <= last &&
         !text.starts_with('0');
}

}  // namespace

bool is_signal(std::string_view text) {
  static const std::set<std::string_view> names{
      "ABRT", "ALRM",   "BUS",  "CHLD",  "CLD",    "CONT", "FPE",  "HUP",   "ILL",
      "INT",  "IO",     "IOT",  "KILL",  "PIPE",   "POLL", "PROF", "PWR",   "QUIT",
      "SEGV", "STKFLT", "STOP", "SYS",   "TERM",   "TRAP", "TSTP", "TTIN",  "TTOU",
      "URG",  "USR1",   "USR2", "WINCH", "VTALRM", "XCPU", "XFSZ", "RTMIN", "RTMAX"};
  int number = 0;
  const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code == std::errc() && end == digits.data() + digits.size()) {
    return number != 0;
  }
  const std::string upper = to_upper(text);
  const std::string_view name = std::string_view(upper).substr(upper.starts_with("SIG") ? 3 : 0);
  return names.contains(name) || is_realtime_offset(name, "RTMIN+", 15) ||
         is_realtime_offset(name, "RTMAX-", 14);
}

}  // namespace freshet::dockerfile
