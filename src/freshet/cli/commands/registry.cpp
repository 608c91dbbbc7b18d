// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/cli/commands/commands.hpp"
#include "freshet/cli/commands/registry_images.hpp"
#include "freshet/cli/commands/registry_providers.hpp"
#include "freshet/cli/commands/registry_push_mode.hpp"
#include "freshet/cli/commands/registry_show.hpp"
#include "freshet/cli/connection_report.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/cli/registry_form.hpp"
#include "freshet/registries/connections.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace freshet::cli {
namespace {

constexpr auto k_test_limit = std::chrono::minutes(1);

struct RegistryOptions {
  std::string name;
  std::string value;  // the second word: prefix, new name, repository
  std::string provider = "other";
  RegistryForm form;
  bool json = false;
};

using Options = std::shared_ptr<RegistryOptions>;

int add_registry(Runtime& runtime, const RegistryOptions& options) {
  registries::NewIntegration wish =
      to_new_integration(options.form, options.name, options.provider);
  // Refused before a password is asked for.
  const model::RegistryIntegration record = registries::Integrations::validated(wish);
  if (!wish.fallback.empty()) {
    runtime.integrations().get(wish.fallback);
  }
  if (registries::needs_password(record)) {
    wish.secrets.password = read_main_secret(options.form, record, false);
  }
  wish.secrets.proxy_password = read_proxy_password(options.form).value_or(Secret());
  wish.secrets = registries::checked_secrets(record, wish.secrets);
  if (record.domain.empty()) {
    wish.domain = runtime.wait(
        runtime.connections().find_domain(Ctx{}.within(k_test_limit), record, wish.secrets));
  }
  const model::RegistryIntegration registry = runtime.integrations().add(wish);
  fmt::print("Added registry '{}' ({})\n", registry.name, registry.domain);
  fmt::print("Check it with: freshet registry test {}\n", registry.name);
  return 0;
}

/// Whether the secrets are about to be shown to somebody else than before.
bool needs_new_password(
    const model::RegistryIntegration& registry, const registries::IntegrationChange& change) {
  const bool is_ambient = change.uses_ambient_role.value_or(registry.uses_ambient_role);
  const bool is_moved = (change.domain && *change.domain != registry.domain) ||
                        (change.region && *change.region != registry.region) ||
                        (change.location && *change.location != registry.region);
  const bool has_new_server = change.token_server && !change.token_server->empty() &&
                              *change.token_server != registry.connection.token_server;
  return !is_ambient && (is_moved || has_new_server || registry.uses_ambient_role);
}

int change_registry(Runtime& runtime, const RegistryOptions& options) {
  model::RegistryIntegration registry = runtime.integrations().get(options.name);
  registries::IntegrationChange change = to_change(options.form);
  if (options.form.says_password() || needs_new_password(registry, change)) {
    registry.username = change.username.value_or(registry.username);
    change.secrets.password = read_main_secret(options.form, registry, true);
  }
  change.secrets.proxy_password = read_proxy_password(options.form);
  runtime.integrations().change(registry.id, change);
  fmt::print("Changed registry '{}'\n", registry.name);
  return 0;
}

int list_all(Runtime& runtime, const RegistryOptions& options) {
  return list_registries(runtime, options.json);
}

int show_one(Runtime& runtime, const RegistryOptions& options) {
  return show_registry(runtime, options.name, options.json);
}

int show_providers(Runtime&, const RegistryOptions& options) {
  return list_providers(options.value, options.json);
}

int test_registry(Runtime& runtime, const RegistryOptions& options) {
  const model::RegistryIntegration registry = runtime.integrations().get(options.name);
  const registries::ConnectionReport report =
      runtime.wait(runtime.connections().test(Ctx{}.within(k_test_limit), registry, options.value));
  if (options.json) {
    print_json(to_json(report, registry));
  } else {
    fmt::print("{} ({})\n", registry.name, registry.domain);
    print_report(report, stdout);
  }
  return report.has_passed() ? 0 : 1;
}

int list_images(Runtime& runtime, const RegistryOptions& options) {
  return list_registry_images(runtime, options.name, options.json);
}

int set_push_mode(Runtime& runtime, const RegistryOptions& options) {
  return change_push_mode(runtime, options.value, options.json);
}

int set_password(Runtime& runtime, const RegistryOptions& options) {
  model::RegistryIntegration registry = runtime.integrations().get(options.name);
  registries::IntegrationChange change;
  change.username = options.form.username;
  registry.username = options.form.username.value_or(registry.username);
  change.secrets.password = read_main_secret(options.form, registry, true);
  runtime.integrations().change(registry.id, change);
  fmt::print("Renewed the credentials of '{}'\n", registry.name);
  return 0;
}

int tell_new_role(const RegistryOptions& options, std::string_view role) {
  fmt::print("'{}' is now the {} registry\n", options.name, role);
  return 0;
}

int set_default(Runtime& runtime, const RegistryOptions& options) {
  runtime.integrations().set_default(options.name);
  return tell_new_role(options, "default");
}

int set_cache(Runtime& runtime, const RegistryOptions& options) {
  runtime.integrations().set_caching(options.name);
  return tell_new_role(options, "caching");
}

int set_primary(Runtime& runtime, const RegistryOptions& options) {
  runtime.integrations().set_primary(options.name);
  const std::string domain = runtime.integrations().get(options.name).domain;
  fmt::print("'{}' now pulls from '{}'\n", options.name, domain);
  return 0;
}

int set_prefix(Runtime& runtime, const RegistryOptions& options) {
  runtime.integrations().set_prefix(options.name, options.value);
  const std::string prefix = runtime.integrations().get(options.name).repository_prefix;
  if (prefix.empty()) {
    fmt::print("'{}' has no repository prefix any more\n", options.name);
  } else {
    fmt::print("Images pushed to '{}' now go below '{}/'\n", options.name, prefix);
  }
  return 0;
}

int rename(Runtime& runtime, const RegistryOptions& options) {
  runtime.integrations().rename(options.name, options.value);
  fmt::print(
      "'{}' is now '{}'; pipelines that say 'registry: {}' must follow\n",
      options.name,
      options.value,
      options.name);
  return 0;
}

int remove(Runtime& runtime, const RegistryOptions& options) {
  runtime.integrations().remove(options.name);
  fmt::print("Removed '{}' and its password; what it holds is untouched\n", options.name);
  return 0;
}

using Handler = int (*)(Runtime&, const RegistryOptions&);

CLI::App* add_verb(
    CLI::App& group,
    Action& action,
    const Options& options,
    const char* name,
    const char* help,
    Handler handler) {
  CLI::App* verb = group.add_subcommand(name, help);
  verb->callback([options, handler, &action] {
    action = [options, handler](Runtime& runtime) { return handler(runtime, *options); };
  });
  return verb;
}

CLI::App* add_named_verb(
    CLI::App& group,
    Action& action,
    const Options& options,
    const char* name,
    const char* help,
    Handler handler) {
  CLI::App* verb = add_verb(group, action, options, name, help, handler);
  verb->add_option("NAME", options->name, "Name of the registry")->required();
  return verb;
}

void add_add_verb(CLI::App& group, Action& action, const Options& options) {
  CLI::App* verb = add_named_verb(
      group, action, options, "add", "Connect a registry; asks for its password", add_registry);
  verb->add_option(
          "--provider", options->provider, "One of 'freshet registry providers'; other by default")
      ->type_name("PROVIDER");
  add_form_options(*verb, options->form, false);
  verb->footer(
      "Examples:\n"
      "  freshet registry add prod --domain registry.example.com --username ci --prefix team\n"
      "  freshet registry add hub --provider dockerhub --username me --password-stdin < token\n"
      "  freshet registry add gar --provider gar --location us --keyfile key.json --prefix p/r\n"
      "  freshet registry add aws --provider ecr --region eu-west-1 --use-ambient-role");
}

void add_set_verb(CLI::App& group, Action& action, const Options& options) {
  CLI::App* verb = add_named_verb(
      group, action, options, "set", "Change a registry; '' takes a value away", change_registry);
  add_form_options(*verb, options->form, true);
  verb->footer(
      "Another domain, region, location or token server needs the password again.\n"
      "Examples:\n"
      "  freshet registry set prod --fallback spare --mirror mirror.example.com\n"
      "  freshet registry set prod --ca company-ca.pem --no-skip-tls-verify");
}

}  // namespace

void add_registry_commands(CLI::App& app, Action& action) {
  CLI::App* group = app.add_subcommand("registry", "Docker registries that pipelines know by name");
  group->require_subcommand(1);
  const auto options = std::make_shared<RegistryOptions>();
  add_add_verb(*group, action, options);
  add_set_verb(*group, action, options);
  CLI::App* providers = add_verb(
      *group, action, options, "providers", "List what can be connected and how", show_providers);
  providers->add_option("PROVIDER", options->value, "Tell what this one asks for");
  providers->add_flag("--json", options->json, "Print JSON");
  add_verb(*group, action, options, "list", "List all registries", list_all)
      ->add_flag("--json", options->json, "Print JSON");
  add_named_verb(*group, action, options, "show", "Show one registry", show_one)
      ->add_flag("--json", options->json, "Print JSON");
  CLI::App* test = add_named_verb(
      *group, action, options, "test", "Try the connection and say what is wrong", test_registry);
  test->add_flag("--json", options->json, "Print JSON");
  test->add_option(
          "--repository", options->value, "Try pull and push with this one, below the prefix")
      ->type_name("REPOSITORY");
  add_named_verb(*group, action, options, "images", "List what the registry has", list_images)
      ->add_flag("--json", options->json, "Print JSON");
  CLI::App* renew = add_named_verb(
      *group, action, options, "set-password", "Renew the stored password", set_password);
  renew->add_option("--username", options->form.username, "Change the user as well")
      ->type_name("USER");
  renew->add_option("--keyfile", options->form.key_file, "Google: JSON key of a service account")
      ->type_name("FILE");
  add_password_options(*renew, options->form.password);
  CLI::App* push_mode = add_verb(
      *group,
      action,
      options,
      "push-mode",
      "What becomes of builds without registry",
      set_push_mode);
  push_mode->add_option("MODE", options->value, "auto (default), explicit or never; none tells it");
  push_mode->add_flag("--json", options->json, "Print JSON");
  add_named_verb(
      *group, action, options, "set-default", "Use it where a step names no registry", set_default);
  add_named_verb(*group, action, options, "set-cache", "Use it as the caching registry", set_cache);
  add_named_verb(
      *group, action, options, "set-primary", "Pull with it from its domain", set_primary);
  add_named_verb(*group, action, options, "set-prefix", "Change its repository prefix", set_prefix)
      ->add_option("PREFIX", options->value, "New prefix; '' for none")
      ->required();
  add_named_verb(*group, action, options, "rename", "Give it another name", rename)
      ->add_option("NEW", options->value, "New name")
      ->required();
  add_named_verb(*group, action, options, "remove", "Forget a registry and its password", remove);
}

}  // namespace freshet::cli
