// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/connection_report.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cli/json_output.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace freshet::cli {
namespace json = boost::json;
namespace {

std::string_view mark_of(registries::CheckResult result) {
  switch (result) {
    case registries::CheckResult::passed:
      return "✔";
    case registries::CheckResult::failed:
      return "✘";
    case registries::CheckResult::skipped:
      return "–";
    case registries::CheckResult::unknown:
      break;
  }
  return "?";
}

json::value or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(valid_utf8(text));
}

}  // namespace

void print_report(const registries::ConnectionReport& report, std::FILE* out) {
  for (const registries::Check& check : report.checks) {
    fmt::print(
        out,
        "{} {:<12} {}\n",
        mark_of(check.result),
        registries::to_string(check.name),
        check.message.empty() ? registries::to_string(check.result) : check.message);
    if (!check.remote_text.empty()) {
      fmt::print(out, "    it said: '{}'\n", printable(check.remote_text, 1000));
    }
    if (!check.hint.empty()) {
      fmt::print(out, "    {}\n", check.hint);
    }
  }
}

json::object to_json(
    const registries::ConnectionReport& report, const model::RegistryIntegration& registry) {
  json::array checks;
  for (const registries::Check& check : report.checks) {
    checks.push_back({
        {"name", registries::to_string(check.name)},
        {"result", registries::to_string(check.result)},
        {"message", or_null(check.message)},
        {"hint", or_null(check.hint)},
        {"remote_text", or_null(check.remote_text)},
    });
  }
  return {
      {"registry", registry.name},
      {"domain", registry.domain},
      {"passed", report.has_passed()},
      {"checks", std::move(checks)},
  };
}

}  // namespace freshet::cli
