// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/healthcheck.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/characters.hpp"
#include "freshet/dockerfile/duration.hpp"
#include "freshet/dockerfile/flags.hpp"

#include <fmt/format.h>

#include <charconv>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;

class HealthcheckReader {
 public:
  HealthcheckReader(const Instruction& instruction, Diagnostics& diagnostics)
      : instruction_(instruction), arguments_(instruction.arguments), diagnostics_(diagnostics) {}

  Body read() {
    if (arguments_.empty()) {
      return refuse(
          instruction_.at,
          "HEALTHCHECK says nothing",
          "write HEALTHCHECK CMD and a command, or NONE");
    }
    Healthcheck check;
    const std::string kind = to_upper(arguments_[0].text);
    if (kind == "NONE") {
      if (arguments_.size() > 1) {
        return refuse(arguments_[1].at, "nothing can stand behind HEALTHCHECK NONE");
      }
      check.test = {kind};
      return check;
    }
    if (kind != "CMD") {
      return refuse(
          arguments_[0].at,
          fmt::format("there is no health check '{}'", printable(arguments_[0].text, k_max_shown)),
          "write HEALTHCHECK CMD and a command, or NONE");
    }
    if (arguments_.size() < 2) {
      return refuse(arguments_[0].at, "HEALTHCHECK CMD has no command");
    }
    check.test = {instruction_.is_json ? "CMD" : "CMD-SHELL"};
    for (std::size_t i = 1; i < arguments_.size(); ++i) {
      check.test.push_back(arguments_[i].text);
    }
    read_times(check);
    return check;
  }

 private:
  std::monostate refuse(const SourcePosition& at, std::string message, std::string hint = {}) {
    diagnostics_.error(at, std::move(message), std::move(hint));
    return {};
  }

  void read_times(Healthcheck& check) {
    const Flags given(
        instruction_,
        {{"interval", FlagKind::text},
         {"timeout", FlagKind::text},
         {"start-period", FlagKind::text},
         {"start-interval", FlagKind::text},
         {"retries", FlagKind::text}},
        diagnostics_);
    check.interval = time(given, "interval");
    check.timeout = time(given, "timeout");
    check.start_period = time(given, "start-period");
    check.start_interval = time(given, "start-interval");
    const auto retries = given.text("retries");
    if (!retries || retries->text.empty()) {
      return;
    }
    const std::string& text = retries->text;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), check.retries);
    if (code != std::errc() || end != text.data() + text.size() || check.retries < 0) {
      refuse(
          retries->at, fmt::format("'{}' is no number of retries", printable(text, k_max_shown)));
    }
  }

  std::chrono::nanoseconds time(const Flags& given, std::string_view flag) {
    const auto word = given.text(flag);
    if (!word || word->text.empty()) {
      return {};
    }
    const auto duration = parse_duration(word->text);
    const bool is_long_enough =
        duration && (duration->count() == 0 || *duration >= std::chrono::milliseconds(1));
    if (!is_long_enough) {
      refuse(
          word->at,
          fmt::format(
              "'{}' is no time of 1ms or more for --{}", printable(word->text, k_max_shown), flag),
          "such as: 30s, 1m30s");
    }
    return duration.value_or(std::chrono::nanoseconds());
  }

  const Instruction& instruction_;
  const std::vector<Word>& arguments_;
  Diagnostics& diagnostics_;
};

}  // namespace

Body read_healthcheck(const Instruction& instruction, Diagnostics& diagnostics) {
  return HealthcheckReader(instruction, diagnostics).read();
}

}  // namespace freshet::dockerfile
