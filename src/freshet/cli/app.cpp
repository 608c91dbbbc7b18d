// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/app.hpp"

#include "freshet/base/error_text.hpp"
#include "freshet/cli/commands/commands.hpp"

#include <CLI/CLI.hpp>
#include <sodium.h>

#include <csignal>
#include <cstdio>

namespace freshet::cli {
namespace {

constexpr int k_exit_bad_usage = 2;
constexpr int k_exit_stopped = 130;

int report(const Error& error) {
  std::fputs(to_terminal(error).c_str(), stderr);
  return exit_code_of(error.code());
}

int run_action(const Action& action, const GlobalOptions& options) {
  try {
    Runtime runtime(options);
    return action(runtime);
  } catch (const Cancelled&) {
    return k_exit_stopped;
  } catch (...) {
    return report(to_error(std::current_exception()));
  }
}

}  // namespace

int run(int argc, char** argv) {
  if (sodium_init() < 0) {
    return report(Error(ErrorCode::internal, "the crypto library does not start"));
  }
  // A reader that went away shows as a failed write.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app(
      "Builds container images by codefresh.yml pipelines and pushes them to your registries.",
      "freshet");
  app.set_version_flag("--version", "freshet " FRESHET_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  GlobalOptions options;
  app.add_option(
         "--data-dir", options.data_directory, "Where integrations, records and logs are kept")
      ->type_name("DIR");
  app.add_option(
         "--engine", options.engine, "Docker engine: unix:///path, tcp://host:port or context:NAME")
      ->type_name("ENDPOINT");
  Action action;
  add_run_command(app, action);
  add_registry_commands(app, action);
  add_image_commands(app, action);
  add_cache_commands(app, action);
  add_doctor_command(app, action);
  app.add_subcommand("version", "Print the version")->callback([&action] {
    action = [](Runtime&) {
      std::puts("freshet " FRESHET_VERSION);
      return 0;
    };
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : k_exit_bad_usage;
  }
  return run_action(action, options);
}

}  // namespace freshet::cli
