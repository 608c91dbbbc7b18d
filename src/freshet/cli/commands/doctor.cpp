// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/process.hpp"
#include "freshet/base/text.hpp"
#include "freshet/cli/commands/commands.hpp"
#include "freshet/cli/connection_report.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/engine/buildkit/builder.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <cstdio>

namespace freshet::cli {
namespace {

constexpr auto k_check_limit = std::chrono::seconds(15);
constexpr std::uint64_t k_low_space = 5'000'000'000;  // a build of a usual image fits in it

enum class Health { good, doubtful, bad };

struct Finding {
  Health health = Health::good;
  std::string subject;
  std::string text;
  std::string advice;  // what to do; empty when all is well
};

Finding finding_of(std::string subject, const Error& error) {
  std::string text = error.message();
  if (!error.remote_text().empty()) {
    text += fmt::format(": '{}'", error.remote_text());
  }
  return {Health::bad, std::move(subject), std::move(text), error.hint()};
}

/// Turns a check that throws into a finding.
template <class Check>
Finding guarded(const std::string& subject, Check check) {
  try {
    return check();
  } catch (const Error& error) {
    return finding_of(subject, error);
  }
}

Finding check_engine(Runtime& runtime) {
  const engine::EngineVersion version =
      runtime.wait(runtime.engine().negotiate(Ctx{}.within(k_check_limit)));
  std::string text = fmt::format(
      "Docker {} at {} (API {})",
      version.version,
      runtime.endpoint().to_string(),
      version.api_version);
  if (!runtime.endpoint().shares_files()) {
    return {
        Health::bad,
        "engine",
        text,
        "it is on another machine: 'freshet run' needs an engine on this one"};
  }
  return {Health::good, "engine", text, ""};
}

Finding check_buildkit(Runtime& runtime) {
  engine::ImageBuilder builder(runtime.engine());
  runtime.wait(builder.probe(Ctx{}.within(k_check_limit)));
  return {Health::good, "buildkit", "answers inside the engine", ""};
}

Finding check_space(const std::string& subject, const fs::path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) {
    return {
        Health::doubtful,
        subject,
        fmt::format("cannot tell the free space of '{}'", path.string()),
        ""};
  }
  const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
  const std::string text = fmt::format("{} free at '{}'", human_size(free), path.string());
  if (free < k_low_space) {
    return {Health::doubtful, subject, text, "free some, for example with 'docker system prune'"};
  }
  return {Health::good, subject, text, ""};
}

Finding check_data(Runtime& runtime) {
  const fs::path path = runtime.data().path();  // opening it checks the modes of key and database
  return {
      Health::good, "data", fmt::format("'{}' and its key are for you alone", path.string()), ""};
}

Finding check_git(Runtime& runtime) {
  std::string version;
  Command command;
  command.argv = {"git", "--version"};
  LineSink sink = [&version](std::string_view line) { version = line; };
  runtime.wait(
      freshet::run_command(Ctx{}.within(k_check_limit), std::move(command), std::move(sink)));
  return {Health::good, "git", version, ""};
}

Finding check_registry(Runtime& runtime, const model::RegistryIntegration& registry) {
  const std::string subject = fmt::format("registry '{}'", registry.name);
  return guarded(subject, [&] {
    const registries::ConnectionReport report =
        runtime.wait(runtime.connections().test(Ctx{}.within(k_check_limit), registry));
    for (const registries::Check& check : report.checks) {
      if (check.result == registries::CheckResult::failed) {
        return Finding{Health::bad, subject, check.message, check.hint};
      }
    }
    if (registry.is_behind_firewall) {
      return Finding{Health::good, subject, "not asked: it is behind a firewall", ""};
    }
    return Finding{
        Health::good, subject, fmt::format("{} accepts its credentials", registry.domain), ""};
  });
}

std::vector<Finding> examine(Runtime& runtime) {
  std::vector<Finding> findings;
  findings.push_back(guarded("engine", [&] { return check_engine(runtime); }));
  if (findings.back().health == Health::good) {
    findings.push_back(guarded("buildkit", [&] { return check_buildkit(runtime); }));
    findings.push_back(guarded("engine disk", [&] {
      const engine::EngineInfo info =
          runtime.wait(runtime.engine().info(Ctx{}.within(k_check_limit)));
      return check_space("engine disk", info.root_directory);
    }));
  }
  findings.push_back(guarded("git", [&] { return check_git(runtime); }));
  findings.push_back(guarded("data", [&] { return check_data(runtime); }));
  if (findings.back().health == Health::bad) {
    return findings;  // the registries are in there
  }
  findings.push_back(check_space("data disk", runtime.data().path()));
  const std::vector<model::RegistryIntegration> registries = runtime.integrations().list();
  for (const model::RegistryIntegration& registry : registries) {
    findings.push_back(check_registry(runtime, registry));
  }
  if (registries.empty()) {
    findings.push_back(
        {Health::doubtful,
         "registries",
         "none connected: images stay in the engine",
         "connect one with 'freshet registry add'"});
  }
  return findings;
}

std::string_view name_of(Health health) {
  switch (health) {
    case Health::good:
      return "good";
    case Health::doubtful:
      return "doubtful";
    case Health::bad:
      break;
  }
  return "bad";
}

std::string_view mark_of(Health health) {
  switch (health) {
    case Health::good:
      return "✔";
    case Health::doubtful:
      return "!";
    case Health::bad:
      break;
  }
  return "✘";
}

int run_doctor(Runtime& runtime, bool as_json) {
  const std::vector<Finding> findings = examine(runtime);
  bool is_well = true;
  boost::json::array documents;
  for (const Finding& finding : findings) {
    is_well = is_well && finding.health != Health::bad;
    documents.push_back({
        {"subject", finding.subject},
        {"health", name_of(finding.health)},
        {"text", valid_utf8(finding.text)},
        {"advice",
         finding.advice.empty() ? boost::json::value(nullptr) : boost::json::value(finding.advice)},
    });
    if (!as_json) {
      fmt::print(
          "{} {}: {}\n", mark_of(finding.health), finding.subject, printable(finding.text, 1000));
      if (!finding.advice.empty()) {
        fmt::print("    {}\n", finding.advice);
      }
    }
  }
  if (as_json) {
    print_json({{"healthy", is_well}, {"findings", std::move(documents)}});
  }
  return is_well ? 0 : 1;
}

}  // namespace

void add_doctor_command(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("doctor", "Look for what would keep pipelines from running");
  const auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print JSON");
  command->callback([as_json, &action] {
    action = [as_json](Runtime& runtime) { return run_doctor(runtime, *as_json); };
  });
}

}  // namespace freshet::cli
