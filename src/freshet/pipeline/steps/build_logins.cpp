// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_logins.hpp"

#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/steps/base_images.hpp"
#include "freshet/pipeline/steps/registry_load.hpp"
#include "freshet/registries/engine_reach.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>

namespace freshet::pipeline {
namespace {

using registries::PullCandidate;
using Logins = std::map<std::string, engine::RegistryAuth, std::less<>>;  // by domain

std::optional<oci::Reference> parse_if_valid(const std::string& text) {
  try {
    return oci::Reference::parse(text);
  } catch (const Error&) {
    return std::nullopt;  // the builder says what is wrong with it
  }
}

std::string integration_id(const PullCandidate& way) {
  return way.integration ? way.integration->id : std::string();
}

/// The way to a domain's images when no image decides: a context, else the primary integration.
Awaitable<PullCandidate> any_way(
    Ctx ctx, StepScope scope, std::string domain, PullOptions options) {
  oci::Reference reference;
  reference.domain = domain;
  // Below no prefix, since it is no repository path: the primary integration's turn.
  reference.path = "*";
  for (const PullCandidate& way : co_await plan_pull(ctx, scope, reference, std::move(options))) {
    if (!way.is_mirror && way.reference.domain == domain) {
      co_return way;
    }
  }
  co_return PullCandidate{std::nullopt, reference, "", false};
}

/// Pulls one image into the engine and returns the name by which it is there; nullopt, and a line
/// in the log, when that fails.
Awaitable<std::optional<std::string>> pull_beforehand(
    Ctx ctx, StepScope scope, oci::Reference reference, PullOptions options) {
  engine::DockerClient& docker = scope.services.engine;
  std::string problem;
  try {
    const std::string id =
        co_await pull_image(ctx, scope, reference, PullPolicy::when_stale, std::move(options));
    if (reference.digest) {
      const auto by_digest = co_await docker.find_image(ctx, reference.to_string());
      if (by_digest) {
        co_return reference.to_string();
      }
    }
    const oci::Reference name = loaded_name(reference);
    co_await docker.tag_image(ctx, id, name.name(), name.tag);
    co_return name.to_string();
  } catch (const Error& error) {
    problem = error.message();
  }
  scope.log.line(
      fmt::format("warning: cannot pull {} beforehand: {}", reference.to_string(), problem));
  co_return std::nullopt;
}

/// One build's preparation.
class Preparation {
 public:
  Preparation(Ctx ctx, StepScope scope, BuildPulls pulls)
      : ctx_(ctx), scope_(scope), pulls_(std::move(pulls)) {}

  Awaitable<Logins> execute() {
    for (const std::string& image : find_base_images(pulls_.dockerfile, pulls_.arguments)) {
      if (const auto reference = parse_if_valid(image)) {
        co_await look_at(image, *reference);
      }
    }
    Logins logins;
    for (const auto& [domain, way] : ways_) {
      co_await add(logins, domain, way);
    }
    co_await add_others(logins);
    co_return logins;
  }

  std::map<std::string, std::string> take_renamed() { return std::move(renamed_); }

 private:
  Awaitable<void> look_at(std::string written, oci::Reference reference) {
    const std::vector<PullCandidate> ways =
        co_await plan_pull(ctx_, scope_, reference, pulls_.options);
    for (const PullCandidate& way : ways) {
      if (way.reference == reference && !way.is_mirror) {
        ways_.emplace(reference.domain, way);
        const bool is_same = integration_id(ways_.at(reference.domain)) == integration_id(way);
        const bool is_beyond_engine = !registries::why_beyond_engine(way).empty();
        if (ways.size() > 1 || !is_same || is_beyond_engine) {
          const auto name = co_await pull_beforehand(ctx_, scope_, reference, pulls_.options);
          if (name && reference.digest && *name != reference.to_string()) {
            renamed_[written] = *name;
          }
        }
        co_return;
      }
    }
  }

  Awaitable<void> add(Logins& logins, std::string domain, PullCandidate way) {
    const auto auth = co_await find_engine_auth(ctx_, scope_, std::move(way), pulls_.options);
    if (auth) {
      logins[domain] = *auth;
    }
  }

  /// Those that the Dockerfile does not name itself, but may by variables and frontends. A login of
  /// AWS is a request, and what is not needed must not fail a build.
  Awaitable<void> add_others(Logins& logins) {
    const auto list = [integrations = &scope_.services.integrations] {
      return integrations->list();
    };
    const auto all = co_await offload(scope_.services.pool, list);
    for (const model::RegistryIntegration& integration : all) {
      if (integration.provider == model::Provider::ecr || ways_.contains(integration.domain)) {
        continue;
      }
      std::string problem;
      PullCandidate way = co_await any_way(ctx_, scope_, integration.domain, pulls_.options);
      try {
        co_await add(logins, integration.domain, std::move(way));
      } catch (const Error& error) {
        problem = error.message();
      }
      if (!problem.empty()) {
        scope_.log.line(fmt::format(
            "warning: no login for {}, should the build need it: {}", integration.domain, problem));
      }
    }
  }

  Ctx ctx_;
  StepScope scope_;
  BuildPulls pulls_;
  std::map<std::string, PullCandidate, std::less<>> ways_;  // by domain
  std::map<std::string, std::string> renamed_;
};

}  // namespace

Awaitable<PreparedPulls> prepare_pulls(Ctx ctx, StepScope scope, BuildPulls pulls) {
  Preparation preparation(ctx, scope, std::move(pulls));
  const auto logins = std::make_shared<const Logins>(co_await preparation.execute());
  PreparedPulls prepared;
  prepared.renamed = preparation.take_renamed();
  prepared.credentials = [logins](std::string_view host) -> std::optional<engine::RegistryAuth> {
    const auto found = logins->find(oci::canonical_domain(host));
    return found == logins->end() ? std::nullopt : std::optional(found->second);
  };
  co_return prepared;
}

}  // namespace freshet::pipeline
