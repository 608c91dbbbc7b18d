// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_logins.hpp"

#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/steps/base_images.hpp"
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

/// Pulls one image by the engine and gives it the name by which the builder looks for it.
Awaitable<void> pull_beforehand(
    Ctx ctx, StepScope scope, oci::Reference reference, PullOptions options) {
  std::string problem;
  try {
    const std::string id =
        co_await pull_image(ctx, scope, reference, PullPolicy::when_stale, std::move(options));
    if (!reference.digest) {
      co_await scope.services.engine.tag_image(
          ctx, id, reference.name(), reference.tag_or_latest());
    }
    co_return;
  } catch (const Error& error) {
    problem = error.message();
  }
  scope.log.line(
      fmt::format("warning: cannot pull {} beforehand: {}", reference.to_string(), problem));
}

/// One build's preparation.
class Preparation {
 public:
  Preparation(Ctx ctx, StepScope scope, BuildPulls pulls)
      : ctx_(ctx), scope_(scope), pulls_(std::move(pulls)) {}

  Awaitable<Logins> execute() {
    for (const std::string& image : find_base_images(pulls_.dockerfile, pulls_.arguments)) {
      if (const auto reference = parse_if_valid(image)) {
        co_await look_at(*reference);
      }
    }
    Logins logins;
    for (const auto& [domain, way] : ways_) {
      co_await add(logins, domain, way);
    }
    co_await add_others(logins);
    co_return logins;
  }

 private:
  Awaitable<void> look_at(oci::Reference reference) {
    const std::vector<PullCandidate> ways =
        co_await plan_pull(ctx_, scope_, reference, pulls_.options);
    for (const PullCandidate& way : ways) {
      if (way.reference == reference && !way.is_mirror) {
        ways_.emplace(reference.domain, way);
        const bool is_same = integration_id(ways_.at(reference.domain)) == integration_id(way);
        const bool is_beyond_engine = !registries::why_beyond_engine(way).empty();
        if (ways.size() > 1 || !is_same || is_beyond_engine) {
          co_await pull_beforehand(ctx_, scope_, reference, pulls_.options);
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
};

}  // namespace

Awaitable<engine::CredentialSource> prepare_pulls(Ctx ctx, StepScope scope, BuildPulls pulls) {
  Preparation preparation(ctx, scope, std::move(pulls));
  const auto logins = std::make_shared<const Logins>(co_await preparation.execute());
  engine::CredentialSource source =
      [logins](std::string_view host) -> std::optional<engine::RegistryAuth> {
    const auto found = logins->find(oci::canonical_domain(host));
    return found == logins->end() ? std::nullopt : std::optional(found->second);
  };
  co_return source;
}

}  // namespace freshet::pipeline
