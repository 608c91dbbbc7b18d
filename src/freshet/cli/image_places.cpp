// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/image_places.hpp"

#include "freshet/base/text.hpp"
#include "freshet/registries/pull_plan.hpp"

#include <fmt/format.h>

namespace freshet::cli {

using model::RegistryIntegration;
using pipeline::RegistryImage;
using registries::PullCandidate;

namespace {

constexpr std::size_t k_max_shown = 1000;

/// Completes a side by whoever pulls its reference.
void add_ways(
    Side& side,
    const std::vector<RegistryIntegration>& all,
    const std::vector<std::string>& contexts) {
  for (const PullCandidate& way : registries::resolve_pull(all, side.reference, contexts)) {
    if (!way.is_mirror && way.reference == side.reference) {
      side.integration = way.integration;
      return;  // what follows is for pulls that fail
    }
    if (!way.integration || !way.integration->is_behind_firewall) {
      side.mirror = way;
    }
  }
}

}  // namespace

Side find_side(Runtime& runtime, const std::string& text, const std::string& chosen) {
  Side side;
  const std::vector<RegistryIntegration> all = runtime.integrations().list();
  if (chosen.empty()) {
    side.reference = oci::Reference::parse(text);
    add_ways(side, all, {});
    return side;
  }
  const RegistryIntegration named = runtime.integrations().get(chosen);
  if (oci::leading_domain(text)) {
    side.reference = oci::Reference::parse(text);
    if (side.reference.domain != oci::canonical_domain(named.domain)) {
      throw Error(
          ErrorCode::invalid_input,
          fmt::format(
              "'{}' is not at '{}', the domain of registry '{}'",
              printable(text, 255),
              named.domain,
              named.name))
          .with_hint("leave the host out, or choose another registry");
    }
  } else {
    const std::string prefix = named.repository_prefix.empty() ? "" : named.repository_prefix + "/";
    side.reference = oci::Reference::parse(fmt::format("{}/{}{}", named.domain, prefix, text));
  }
  add_ways(side, all, {chosen});
  side.integration = named;
  return side;
}

void require_in_reach(const RegistryIntegration& integration) {
  if (integration.is_behind_firewall) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format(
            "registry '{}' is behind a firewall: only runs of pipelines connect to it",
            integration.name))
        .with_hint(fmt::format(
            "use a push step on a machine that reaches it; if that is this one: 'freshet "
            "registry set {} --no-behind-firewall'",
            integration.name));
  }
}

Awaitable<oci::Place> open_side(Ctx ctx, Runtime& runtime, Side side, bool is_target) {
  registries::Connections& connections = runtime.connections();
  oci::Place place;
  place.repository = side.reference.path;
  if (!side.integration) {
    place.registry = connections.anonymous(side.reference.domain);
    co_return place;
  }
  require_in_reach(*side.integration);
  place.registry = co_await connections.client(ctx, *side.integration);
  if (is_target) {
    const registries::MadeRepository made =
        co_await connections.make_repository(ctx, *side.integration, place.repository);
    if (!made.policy_problem.empty()) {
      fmt::print(
          stderr,
          "warning: repository {} has no lifecycle policy: {}\n",
          place.name(),
          printable(made.policy_problem, k_max_shown));
    }
  }
  co_return place;
}

Awaitable<RegistryImage> look_up(Ctx ctx, oci::Place place, oci::Reference reference) {
  const std::string what =
      reference.digest ? reference.digest->to_string() : reference.tag_or_latest();
  const auto manifest = co_await in_context(
      fmt::format("looking for {}", reference.to_string()),
      place.registry->find_manifest(ctx, place.repository, what));
  if (!manifest) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("{} has no '{}'", reference.domain, reference.to_string()));
  }
  co_return RegistryImage{std::move(place), *manifest};
}

Awaitable<RegistryImage> look_up_at_mirror(Ctx ctx, Runtime& runtime, Side side) {
  oci::Place place;
  place.repository = side.mirror->reference.path;
  place.registry = co_await runtime.connections().client(ctx, *side.mirror);
  co_return co_await look_up(ctx, std::move(place), side.mirror->reference);
}

KnownImage find_known_image(Runtime& runtime, const std::string& text) {
  KnownImage known;
  known.record = runtime.data().images().find(text);
  if (known.record) {
    known.name = known.record->image_name;
    if (!known.record->repo_digest.empty()) {
      known.reference = oci::Reference::parse(known.record->repo_digest);
    }
    return known;
  }
  if (!oci::leading_domain(text)) {
    throw Error(
        ErrorCode::not_found, fmt::format("no image, or several, match '{}'", printable(text, 255)))
        .with_hint(
            "give an id from 'freshet image list', a full name with its tag, or a reference with "
            "its host");
  }
  known.name = text;
  known.source = registries::NameSource::explicit_candidate;
  known.reference = oci::Reference::parse(text);
  return known;
}

Side compose_side(
    const RegistryIntegration& integration,
    const KnownImage& known,
    const std::string& name,
    const std::string& tag) {
  Side side;
  side.integration = integration;
  registries::PushTarget target;
  target.domain = integration.domain;
  target.prefix = integration.repository_prefix;
  target.name = name.empty() ? known.name : name;
  target.source = name.empty() ? known.source : registries::NameSource::push_image_name;
  target.tag = tag;
  side.reference = registries::compose_push_reference(target);
  return side;
}

}  // namespace freshet::cli
