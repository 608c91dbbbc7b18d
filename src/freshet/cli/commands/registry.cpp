// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/cli/commands/commands.hpp"
#include "freshet/cli/connection_report.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/cli/password_input.hpp"
#include "freshet/cli/table.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/registries/connection_test.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace freshet::cli {
namespace {

constexpr auto k_listing_limit = std::chrono::minutes(2);

struct RegistryOptions {
  std::string name;
  std::string value;  // the second word: prefix or new name
  registries::NewIntegration added;
  std::string provider = "other";
  PasswordSource password;
  bool json = false;
};

using Options = std::shared_ptr<RegistryOptions>;

int add_registry(Runtime& runtime, RegistryOptions& options) {
  const auto provider = model::provider_from_string(options.provider);
  if (!provider) {
    throw Error(ErrorCode::invalid_input, fmt::format("'{}' is not a provider", options.provider))
        .with_hint("use dockerhub, or other for every registry that speaks the registry protocol");
  }
  options.added.name = options.name;
  options.added.provider = *provider;
  registries::Integrations::validated(options.added);  // refused before the password is asked for
  options.added.password = read_password(
      options.password,
      fmt::format("Password of '{}' for registry '{}'", options.added.username, options.name));
  const model::RegistryIntegration registry = runtime.integrations().add(options.added);
  fmt::print("Added registry '{}' ({})\n", registry.name, registry.domain);
  fmt::print("Check it with: freshet registry test {}\n", registry.name);
  return 0;
}

std::string roles_of(const model::RegistryIntegration& registry) {
  std::vector<std::string> roles;
  if (registry.is_default) {
    roles.emplace_back("default");
  }
  if (registry.is_caching) {
    roles.emplace_back("caching");
  }
  if (registry.is_primary) {
    roles.emplace_back("primary");
  }
  return join(roles, ",");
}

template <class Item, class ToDocument>
int print_json_list(std::string_view key, const std::vector<Item>& items, ToDocument to_document) {
  boost::json::array documents;
  for (const Item& item : items) {
    documents.push_back(to_document(item));
  }
  print_json({{key, std::move(documents)}});
  return 0;
}

int list_registries(Runtime& runtime, const RegistryOptions& options) {
  const std::vector<model::RegistryIntegration> registries = runtime.integrations().list();
  if (options.json) {
    return print_json_list(
        "registries", registries, [](const auto& registry) { return to_json(registry); });
  }
  if (registries.empty()) {
    std::puts("No registries yet. Connect one with:");
    std::puts("  freshet registry add NAME --domain HOST --username USER");
    return 0;
  }
  Table table({"NAME", "PROVIDER", "DOMAIN", "PREFIX", "USERNAME", "ROLES"});
  for (const model::RegistryIntegration& registry : registries) {
    table.add(
        {registry.name,
         std::string(model::to_string(registry.provider)),
         registry.domain,
         registry.repository_prefix,
         registry.username,
         roles_of(registry)});
  }
  table.print(stdout);
  return 0;
}

int show_registry(Runtime& runtime, const RegistryOptions& options) {
  const model::RegistryIntegration registry = runtime.integrations().get(options.name);
  if (options.json) {
    print_json(to_json(registry));
    return 0;
  }
  const std::vector<std::pair<std::string_view, std::string>> fields{
      {"Name", registry.name},
      {"Provider", std::string(model::to_string(registry.provider))},
      {"Domain", registry.domain},
      {"Username", registry.username},
      {"Password", "stored, sealed"},
      {"Prefix", registry.repository_prefix.empty() ? "none" : registry.repository_prefix},
      {"Roles", roles_of(registry).empty() ? "none" : roles_of(registry)},
      {"Added", to_rfc3339(registry.created_at)},
      {"Id", registry.id},
  };
  for (const auto& [name, value] : fields) {
    fmt::print("{:<10} {}\n", name, value);
  }
  return 0;
}

int test_registry(Runtime& runtime, const RegistryOptions& options) {
  const model::RegistryIntegration registry = runtime.integrations().get(options.name);
  const Secret password = runtime.integrations().push_auth(registry).password;
  const registries::ConnectionReport report =
      runtime.wait(registries::test_connection(Ctx{}, runtime.http(), registry, password));
  if (options.json) {
    print_json(to_json(report, registry));
  } else {
    fmt::print("{} ({})\n", registry.name, registry.domain);
    print_report(report, stdout);
  }
  return report.has_passed() ? 0 : 1;
}

struct ListedImage {
  std::string repository;
  std::string tag;
  std::string digest;
};

std::string reference_of(const model::RegistryIntegration& registry, const ListedImage& image) {
  return fmt::format("{}/{}:{}", registry.domain, image.repository, image.tag);
}

/// Everything that the registry says it has below the integration's prefix.
Awaitable<std::vector<ListedImage>> read_images(
    Ctx ctx, oci::RegistryClient& client, const std::string& prefix) {
  std::vector<ListedImage> images;
  for (const std::string& repository : co_await client.list_repositories(ctx)) {
    if (!prefix.empty() && !repository.starts_with(prefix + "/")) {
      continue;
    }
    for (const std::string& tag : co_await client.list_tags(ctx, repository)) {
      const auto manifest = co_await client.find_manifest(ctx, repository, tag);
      if (manifest) {  // else it was deleted meanwhile
        images.push_back({repository, tag, manifest->digest.to_string()});
      }
    }
  }
  co_return images;
}

int list_images(Runtime& runtime, const RegistryOptions& options) {
  const model::RegistryIntegration registry = runtime.integrations().get(options.name);
  oci::RegistryClient client(
      runtime.http(),
      registry.domain,
      oci::Credentials{registry.username, runtime.integrations().push_auth(registry).password});
  const std::vector<ListedImage> images = runtime.wait(in_context(
      fmt::format("reading what registry '{}' has", registry.name),
      read_images(Ctx{}.within(k_listing_limit), client, registry.repository_prefix)));
  if (options.json) {
    return print_json_list("images", images, [&registry](const ListedImage& image) {
      return boost::json::object{
          {"reference", reference_of(registry, image)},
          {"repository", image.repository},
          {"tag", image.tag},
          {"digest", image.digest},
      };
    });
  }
  if (images.empty()) {
    fmt::print(
        "Registry '{}' has no images{}\n",
        registry.name,
        registry.repository_prefix.empty()
            ? ""
            : fmt::format(" below '{}'", registry.repository_prefix));
    return 0;
  }
  Table table({"IMAGE", "DIGEST"});
  for (const ListedImage& image : images) {
    table.add({reference_of(registry, image), image.digest});
  }
  table.print(stdout);
  return 0;
}

int set_password(Runtime& runtime, const RegistryOptions& options) {
  const model::RegistryIntegration registry = runtime.integrations().get(options.name);
  const std::string username =
      options.added.username.empty() ? registry.username : options.added.username;
  const Secret password = read_password(
      options.password,
      fmt::format("New password of '{}' for registry '{}'", username, registry.name));
  runtime.integrations().set_credentials(registry.name, username, password);
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

void add_password_options(CLI::App& verb, const Options& options) {
  verb.add_flag(
      "--password-stdin", options->password.from_stdin, "Read the password from standard input");
  verb.add_option(
          "--password-fd", options->password.descriptor, "Read the password from this descriptor")
      ->type_name("N");
}

void add_add_verb(CLI::App& group, Action& action, const Options& options) {
  CLI::App* verb = group.add_subcommand("add", "Connect a registry; asks for its password");
  verb->add_option("NAME", options->name, "Name that pipelines use")->required();
  verb->add_option("--provider", options->provider, "other or dockerhub")->type_name("PROVIDER");
  verb->add_option("--domain", options->added.domain, "Its host, with port if need be")
      ->type_name("HOST[:PORT]");
  verb->add_option("--username", options->added.username, "User that pulls and pushes")
      ->type_name("USER");
  add_password_options(*verb, options);
  verb->add_option("--prefix", options->added.repository_prefix, "Put in front of every image name")
      ->type_name("PREFIX");
  verb->add_flag("--default", options->added.is_default, "Use it where a step names no registry");
  verb->add_flag("--cache", options->added.is_caching, "Use it as the caching registry");
  verb->footer(
      "Examples:\n"
      "  freshet registry add prod --domain registry.example.com --username ci --prefix team\n"
      "  freshet registry add hub --provider dockerhub --username me --password-stdin < token");
  verb->callback([options, &action] {
    action = [options](Runtime& runtime) { return add_registry(runtime, *options); };
  });
}

}  // namespace

void add_registry_commands(CLI::App& app, Action& action) {
  CLI::App* group = app.add_subcommand("registry", "Docker registries that pipelines know by name");
  group->require_subcommand(1);
  const auto options = std::make_shared<RegistryOptions>();
  add_add_verb(*group, action, options);
  add_verb(*group, action, options, "list", "List all registries", list_registries)
      ->add_flag("--json", options->json, "Print JSON");
  add_named_verb(*group, action, options, "show", "Show one registry", show_registry)
      ->add_flag("--json", options->json, "Print JSON");
  add_named_verb(
      *group, action, options, "test", "Try the connection and say what is wrong", test_registry)
      ->add_flag("--json", options->json, "Print JSON");
  add_named_verb(*group, action, options, "images", "List what the registry has", list_images)
      ->add_flag("--json", options->json, "Print JSON");
  CLI::App* renew = add_named_verb(
      *group, action, options, "set-password", "Renew the stored password", set_password);
  renew->add_option("--username", options->added.username, "Change the user as well")
      ->type_name("USER");
  add_password_options(*renew, options);
  add_named_verb(
      *group, action, options, "set-default", "Use it where a step names no registry", set_default);
  add_named_verb(*group, action, options, "set-cache", "Use it as the caching registry", set_cache);
  add_named_verb(*group, action, options, "set-prefix", "Change its repository prefix", set_prefix)
      ->add_option("PREFIX", options->value, "New prefix; '' for none")
      ->required();
  add_named_verb(*group, action, options, "rename", "Give it another name", rename)
      ->add_option("NEW", options->value, "New name")
      ->required();
  add_named_verb(*group, action, options, "remove", "Forget a registry and its password", remove);
}

}  // namespace freshet::cli
