// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/pull_plan.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace freshet::registries {
namespace {

using model::RegistryIntegration;

constexpr std::size_t k_max_shown = 100;

struct Choice {
  std::optional<RegistryIntegration> integration;
  std::string reason;
};

std::vector<RegistryIntegration> of_domain(
    const std::vector<RegistryIntegration>& all, std::string_view host) {
  const std::string domain = oci::canonical_domain(host);
  std::vector<RegistryIntegration> out;
  std::ranges::copy_if(all, std::back_inserter(out), [&](const RegistryIntegration& integration) {
    return oci::canonical_domain(integration.domain) == domain;
  });
  return out;
}

const RegistryIntegration* find_named(
    const std::vector<RegistryIntegration>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &RegistryIntegration::name);
  return found == all.end() ? nullptr : &*found;
}

const RegistryIntegration& primary_of(const std::vector<RegistryIntegration>& group) {
  const auto primary = std::ranges::find_if(group, &RegistryIntegration::is_primary);
  return primary == group.end() ? group.front() : *primary;
}

/// Those with the longest prefix above `path`; empty when only those without prefix remain.
std::vector<RegistryIntegration> closest(
    const std::vector<RegistryIntegration>& group, std::string_view path) {
  std::vector<RegistryIntegration> out;
  std::size_t longest = 1;
  for (const RegistryIntegration& integration : group) {
    const std::size_t length = integration.repository_prefix.size();
    if (length < longest || !is_below(path, integration.repository_prefix)) {
      continue;
    }
    if (length > longest) {
      out.clear();
      longest = length;
    }
    out.push_back(integration);
  }
  return out;
}

Choice choose(
    const std::vector<RegistryIntegration>& all,
    const oci::Reference& reference,
    const std::vector<std::string>& contexts) {
  const std::vector<RegistryIntegration> group = of_domain(all, reference.domain);
  for (const std::string& context : contexts) {
    if (const RegistryIntegration* named = find_named(group, context)) {
      return {*named, fmt::format("the step names registry '{}' for pulling", context)};
    }
  }
  if (group.empty()) {
    return {std::nullopt, fmt::format("no registry is connected for '{}'", reference.domain)};
  }
  if (group.size() == 1) {
    return {group.front(), fmt::format("registry '{}' is connected", group.front().name)};
  }
  const std::vector<RegistryIntegration> near = closest(group, reference.path);
  if (!near.empty()) {
    const RegistryIntegration& best = primary_of(near);
    return {
        best,
        fmt::format(
            "'{}' lies below the prefix '{}' of registry '{}'",
            reference.path,
            best.repository_prefix,
            best.name)};
  }
  const RegistryIntegration& primary = primary_of(group);
  return {
      primary,
      fmt::format("registry '{}' is the primary one of '{}'", primary.name, reference.domain)};
}

oci::Reference moved(const oci::Reference& reference, std::string domain, std::string path) {
  oci::Reference out = reference;
  out.domain = std::move(domain);
  out.path = std::move(path);
  return out;
}

PullCandidate at_mirror(
    const std::vector<RegistryIntegration>& all,
    const RegistryIntegration& integration,
    const oci::Reference& reference) {
  const std::string& mirror = integration.connection.mirror;
  const std::size_t slash = mirror.find('/');
  const std::string path =
      slash == std::string::npos ? reference.path : mirror.substr(slash + 1) + "/" + reference.path;
  PullCandidate candidate;
  candidate.reference = moved(reference, mirror.substr(0, slash), path);
  candidate.reason = fmt::format("registry '{}' has the mirror '{}'", integration.name, mirror);
  candidate.integration = puller_of_domain(all, candidate.reference.domain);
  if (!candidate.integration) {
    candidate.integration = integration;
    candidate.is_mirror = true;
  }
  return candidate;
}

void add_with_company(
    const std::vector<RegistryIntegration>& all,
    const Choice& choice,
    const oci::Reference& reference,
    std::vector<PullCandidate>& out) {
  if (choice.integration && !choice.integration->connection.mirror.empty()) {
    out.push_back(at_mirror(all, *choice.integration, reference));
  }
  out.push_back({choice.integration, reference, choice.reason});
  if (!choice.integration || choice.integration->fallback_id.empty()) {
    return;
  }
  const auto fallback =
      std::ranges::find(all, choice.integration->fallback_id, &RegistryIntegration::id);
  if (fallback != all.end() && fallback->id != choice.integration->id) {
    out.push_back(
        {*fallback,
         map_to_fallback(*choice.integration, *fallback, reference),
         fmt::format(
             "registry '{}' is the fallback of '{}'", fallback->name, choice.integration->name)});
  }
}

}  // namespace

std::vector<PullCandidate> resolve_pull(
    const std::vector<RegistryIntegration>& all,
    const oci::Reference& reference,
    const std::vector<std::string>& contexts) {
  require_contexts(all, contexts);
  std::vector<PullCandidate> out;
  add_with_company(all, choose(all, reference, contexts), reference, out);
  return out;
}

void require_contexts(
    const std::vector<RegistryIntegration>& all, const std::vector<std::string>& contexts) {
  std::vector<std::string> names;
  std::ranges::transform(all, std::back_inserter(names), &RegistryIntegration::name);
  std::map<std::string, std::string> by_domain;
  for (const std::string& context : contexts) {
    const RegistryIntegration* named = find_named(all, context);
    if (named == nullptr) {
      const auto close = nearest(context, names);
      throw Error(
          ErrorCode::invalid_input,
          fmt::format("registry '{}' does not exist", printable(context, k_max_shown)))
          .with_hint(
              close ? fmt::format("did you mean '{}'?", *close)
                    : "connect it with 'freshet registry add'");
    }
    const auto [other, is_new] = by_domain.emplace(oci::canonical_domain(named->domain), context);
    if (!is_new) {
      throw Error(
          ErrorCode::invalid_input,
          fmt::format(
              "registry contexts '{}' and '{}' have the same domain '{}'",
              other->second,
              context,
              named->domain))
          .with_hint("a step pulls from one domain with one of them: leave the other out");
    }
  }
}

std::optional<RegistryIntegration> puller_of_domain(
    const std::vector<RegistryIntegration>& all, std::string_view host) {
  const std::vector<RegistryIntegration> group = of_domain(all, host);
  return group.empty() ? std::nullopt : std::optional(primary_of(group));
}

oci::Reference map_to_fallback(
    const RegistryIntegration& source,
    const RegistryIntegration& fallback,
    const oci::Reference& reference) {
  std::string path = reference.path;
  const std::string& prefix = source.repository_prefix;
  if (!prefix.empty() && is_below(path, prefix) && path.size() > prefix.size()) {
    path.erase(0, prefix.size() + 1);
    path = fallback.repository_prefix.empty() ? path : fallback.repository_prefix + "/" + path;
  }
  if (fallback.domain == "docker.io" && path.find('/') == std::string::npos) {
    path = "library/" + path;
  }
  return moved(reference, fallback.domain, path);
}

bool is_below(std::string_view path, std::string_view prefix) {
  if (prefix.empty() || path == prefix) {
    return true;
  }
  return path.starts_with(prefix) && path[prefix.size()] == '/';
}

}  // namespace freshet::registries
