// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/destination.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/steps/pull.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

using model::RegistryIntegration;

Awaitable<std::vector<RegistryIntegration>> list_registries(StepScope scope) {
  const auto list = [integrations = &scope.services.integrations] { return integrations->list(); };
  co_return co_await offload(scope.services.pool, list);
}

std::string resolve(const StepScope& scope, const Text& text, std::string_view field) {
  std::string value(trim(scope.run.expand(text)));
  scope.run.require_resolved(text, value, field);
  return value;
}

RegistryIntegration find_in(
    const StepScope& scope,
    const std::vector<RegistryIntegration>& all,
    const std::string& value,
    const Text& registry) {
  const auto named = std::ranges::find(all, value, &RegistryIntegration::name);
  if (named != all.end()) {
    return *named;
  }
  if (registries::is_web_address(value)) {
    const std::string host = registries::host_of_web_address(value);
    if (auto found = registries::puller_of_domain(all, host)) {
      return *found;
    }
    throw Error(
        ErrorCode::not_found,
        fmt::format("no registry is connected for '{}'", printable(host, 255)))
        .at(registry.at)
        .with_hint("connect it with 'freshet registry add', or give a push step 'credentials'");
  }
  try {
    return scope.services.integrations.get(value);
  } catch (Error& error) {
    error.set_position_if_unknown(registry.at);
    throw;
  }
}

bool has_ecr_keys(const PushStep& step) {
  return step.provider == PushProvider::ecr && (step.access_key_id || step.secret_access_key);
}

/// The login that the step carries.
registries::InlineLogin make_inline_login(const StepScope& scope, const PushStep& step) {
  registries::InlineLogin login;
  const auto value = [&](const std::optional<Text>& text, std::string_view field) {
    return text ? resolve(scope, *text, field) : std::string();
  };
  if (has_ecr_keys(step)) {
    login.provider = "ecr";
    login.access_key_id = value(step.access_key_id, "accessKeyId");
    login.secret_access_key = Secret(value(step.secret_access_key, "secretAccessKey"));
    login.region = value(step.aws.region, "region");
    scope.run.masker().add(login.secret_access_key);
    return login;
  }
  login.registry = value(step.registry, "registry");
  login.username = resolve(scope, step.credentials->username, "credentials.username");
  login.password = Secret(resolve(scope, step.credentials->password, "credentials.password"));
  scope.run.masker().add(login.password);
  return login;
}

Destination make_destination(registries::InlineLogin login, const SourcePosition& at) {
  Destination destination;
  try {
    destination.domain = registries::check_inline_login(login).domain;
  } catch (Error& error) {
    error.set_position_if_unknown(at);
    throw;
  }
  destination.login = std::move(login);
  return destination;
}

/// A step's own login is for an address; for a name it would be sent to whatever that name is.
bool is_own_login(
    const StepScope& scope, const PushStep& step, const std::vector<RegistryIntegration>& all) {
  if (has_ecr_keys(step)) {
    return true;
  }
  if (!step.credentials) {
    return false;
  }
  const std::string value = step.registry ? resolve(scope, *step.registry, "registry") : "";
  const bool is_name = std::ranges::find(all, value, &RegistryIntegration::name) != all.end();
  if (is_name) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "'credentials' are for a registry that is given by its address, '{}' is a connected "
            "one",
            value))
        .at(step.registry->at)
        .with_hint("leave 'credentials' out, or write the host in 'registry'");
  }
  return value.empty() || registries::is_web_address(value);
}

RegistryIntegration unnamed_target(
    const StepScope& scope, const std::vector<RegistryIntegration>& all) {
  const auto marked = std::ranges::find_if(all, &RegistryIntegration::is_default);
  if (marked != all.end()) {
    return *marked;
  }
  // A push step always pushes: without a default the oldest integration is meant.
  if (all.empty()) {
    throw Error(ErrorCode::not_found, "there is no registry to push to")
        .at(scope.step.at)
        .with_hint("connect one with 'freshet registry add'");
  }
  scope.log.line(
      fmt::format("No registry named and none is the default: using '{}'", all.front().name));
  return all.front();
}

Awaitable<registries::RegistryLogin> get_login(Ctx ctx, StepScope scope, Destination destination) {
  registries::Connections& connections = scope.services.connections;
  registries::RegistryLogin login;
  if (destination.integration) {
    login = co_await connections.login(ctx, *destination.integration, destination.aws);
  } else {
    login = co_await connections.login(ctx, *destination.login);
  }
  scope.run.masker().add(login.password);
  co_return login;
}

}  // namespace

std::string Destination::login_words() const {
  return integration ? fmt::format("integration '{}'", integration->name)
                     : std::string("the step's own credentials");
}

Awaitable<RegistryIntegration> find_registry(Ctx, StepScope scope, Text registry) {
  const std::string value = resolve(scope, registry, "registry");
  const std::vector<RegistryIntegration> all = co_await list_registries(scope);
  co_return find_in(scope, all, value, registry);
}

Destination make_destination(
    const StepScope& scope, RegistryIntegration integration, const AwsFields& aws) {
  Destination destination;
  destination.aws = resolve_aws_options(scope, aws, integration);
  destination.domain = registries::aws::domain_for(integration, destination.aws);
  destination.prefix = integration.repository_prefix;
  destination.integration = std::move(integration);
  return destination;
}

Awaitable<Destination> find_destination(Ctx ctx, StepScope scope, PushStep step) {
  const std::vector<RegistryIntegration> all = co_await list_registries(scope);
  if (!is_own_login(scope, step, all)) {
    co_return make_destination(
        scope,
        step.registry
            ? find_in(scope, all, resolve(scope, *step.registry, "registry"), *step.registry)
            : unnamed_target(scope, all),
        step.aws);
  }
  const SourcePosition at = step.registry ? step.registry->at : scope.step.at;
  Destination destination = make_destination(make_inline_login(scope, step), at);
  if (destination.domain.empty()) {  // only AWS knows
    destination.domain = (co_await get_login(ctx, scope, destination)).server;
  }
  co_return destination;
}

Awaitable<std::shared_ptr<oci::RegistryClient>> open_destination(
    Ctx ctx, StepScope scope, Destination destination) {
  co_await get_login(ctx, scope, destination);  // masks it
  registries::Connections& connections = scope.services.connections;
  if (destination.integration) {
    co_return co_await connections.client(ctx, *destination.integration, destination.aws);
  }
  co_return co_await connections.client(ctx, *destination.login);
}

Awaitable<engine::RegistryAuth> find_engine_auth(
    Ctx ctx, StepScope scope, Destination destination) {
  const registries::RegistryLogin login = co_await get_login(ctx, scope, std::move(destination));
  co_return to_engine_auth(scope.run, login);
}

oci::Reference compose(
    const Destination& destination,
    const std::string& name,
    registries::NameSource source,
    const std::string& tag,
    const SourcePosition& at) {
  try {
    return registries::compose_push_reference(
        {destination.domain, destination.prefix, name, source, tag});
  } catch (Error& error) {
    error.set_position_if_unknown(at);
    throw;
  }
}

}  // namespace freshet::pipeline
