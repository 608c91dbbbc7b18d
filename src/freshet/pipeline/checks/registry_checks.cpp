// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/checks/registry_checks.hpp"

#include "freshet/base/text.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/checks/build_push.hpp"
#include "freshet/registries/aws/step_options.hpp"
#include "freshet/registries/naming.hpp"
#include "freshet/registries/pull_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

namespace freshet::pipeline {
namespace {

using model::RegistryIntegration;
using Found = std::optional<RegistryIntegration>;

constexpr std::size_t k_max_shown = 100;

std::string shown(const Text& text) {
  return printable(text.value, k_max_shown);
}

bool has_variable(std::string_view text) {
  return text.find("${{") != std::string_view::npos;
}

/// One run over a pipeline.
class Checker {
 public:
  Checker(
      const std::vector<RegistryIntegration>& all,
      model::PushMode push_mode,
      Diagnostics& diagnostics)
      : all_(all), push_mode_(push_mode), diagnostics_(diagnostics) {
    std::ranges::transform(all, std::back_inserter(names_), &RegistryIntegration::name);
  }

  void check(const Step& step, const BuildStep& build) {
    Found target = default_registry();
    if (build.registry) {
      target = find(*build.registry, false);
    } else {
      check_unnamed_push(step, build.disable_push, target.has_value());
    }
    check_contexts(build.registry_contexts);
    check_aws(build.aws, target);
  }

  void check(const Step& step, const PushStep& push) {
    if (push.registry_context) {
      find_context(*push.registry_context);
    }
    if (push.provider == PushProvider::ecr && (push.access_key_id || push.secret_access_key)) {
      check_ecr_keys(push);
      return;
    }
    warn_of_unused_keys(push);
    const Found target = check_target(step, push);
    if (push.provider == PushProvider::ecr && target && target->provider != model::Provider::ecr) {
      diagnostics_.error(
          push.provider_at,
          "provider 'ecr' needs 'accessKeyId' and 'secretAccessKey', or an ECR integration in "
          "'registry'");
    }
    check_aws(push.aws, target);
  }

  void check(const Step& step, const FreestyleStep& freestyle) {
    if (freestyle.registry_context) {
      find_context(*freestyle.registry_context);
    }
    if (!freestyle.role_arn) {
      return;
    }
    if (!freestyle.registry_context) {
      diagnostics_.error(
          freestyle.role_arn->at,
          fmt::format("step '{}' has a 'role_arn', but no 'registry_context'", step.name),
          "name the ECR integration that pulls the image in 'registry_context'");
    }
    AwsFields aws;
    aws.role_arn = freestyle.role_arn;
    check_aws(aws, std::nullopt);
  }

  void check(const Step&, const GitCloneStep&) {}

 private:
  Found named(const std::string& name) const {
    const auto found = std::ranges::find(all_, name, &RegistryIntegration::name);
    return found == all_.end() ? Found() : Found(*found);
  }

  Found default_registry() const {
    const auto found = std::ranges::find_if(all_, &RegistryIntegration::is_default);
    return found == all_.end() ? Found() : Found(*found);
  }

  void report_unknown(const Text& name) {
    const auto close = nearest(name.value, names_);
    diagnostics_.error(
        name.at,
        fmt::format("registry '{}' does not exist", shown(name)),
        close ? fmt::format("did you mean '{}'?", *close)
              : "connect it with 'freshet registry add'");
  }

  void check_unnamed_push(
      const Step& step, const std::optional<BoolValue>& disable_push, bool has_default) {
    const bool is_variable = disable_push && disable_push->expression;
    BuildPushWish wish;
    if (disable_push) {
      wish.disable_push = !is_variable && disable_push->constant;
    }
    const BuildPush decided = decide_build_push(wish, push_mode_, has_default);
    if (decided == BuildPush::refused && !is_variable) {
      diagnostics_.error(
          step.at,
          fmt::format("step '{}' does not say where its image is pushed", step.name),
          "name a 'registry', or write 'disable_push: true'; 'freshet registry push-mode auto' has "
          "such images pushed to the default registry");
    } else if (decided == BuildPush::no_default) {
      diagnostics_.warning(
          step.at,
          fmt::format(
              "the image of step '{}' will not be pushed, no default registry is set", step.name),
          "name a 'registry', or set a default with 'freshet registry set-default'");
    }
  }

  /// What a `registry` field means: a name, or the host of a connected registry.
  Found find(const Text& registry, bool may_have_credentials) {
    if (has_variable(registry.value)) {
      return std::nullopt;
    }
    if (Found found = named(registry.value)) {
      return found;
    }
    if (!registries::is_web_address(registry.value)) {
      report_unknown(registry);
      return std::nullopt;
    }
    Found found =
        registries::puller_of_domain(all_, registries::host_of_web_address(registry.value));
    if (!found) {
      diagnostics_.error(
          registry.at,
          fmt::format("no registry is connected for '{}'", shown(registry)),
          may_have_credentials
              ? "connect it with 'freshet registry add', or give the step 'credentials'"
              : "connect it with 'freshet registry add'; only push steps may have 'credentials'");
    }
    return found;
  }

  Found find_context(const Text& context) {
    if (has_variable(context.value)) {
      return std::nullopt;
    }
    Found found = named(context.value);
    if (!found) {
      report_unknown(context);
    }
    return found;
  }

  void check_contexts(const std::vector<Text>& contexts) {
    std::map<std::string, std::string> by_domain;
    for (const Text& context : contexts) {
      const Found found = find_context(context);
      if (!found) {
        continue;
      }
      const auto [other, is_new] =
          by_domain.emplace(oci::canonical_domain(found->domain), found->name);
      if (!is_new) {
        diagnostics_.error(
            context.at,
            fmt::format(
                "registry contexts '{}' and '{}' have the same domain '{}'",
                other->second,
                found->name,
                found->domain),
            "a step pulls from one domain with one of them: leave the other out");
      }
    }
  }

  /// Where a push without keys of AWS goes, if that is an integration.
  Found check_target(const Step& step, const PushStep& push) {
    if (push.credentials && !push.registry) {
      return anonymous_target("docker.io");
    }
    const bool is_address = push.registry && registries::is_web_address(push.registry->value);
    if (all_.empty() && !is_address && !(push.credentials && has_variable(push.registry->value))) {
      diagnostics_.error(
          step.at,
          fmt::format("step '{}' pushes an image, but no registry is connected", step.name),
          "connect one with 'freshet registry add'");
      return std::nullopt;
    }
    if (!push.registry) {
      return check_unnamed_target(step);
    }
    if (!push.credentials || has_variable(push.registry->value)) {
      return find(*push.registry, true);
    }
    if (is_address && !named(push.registry->value)) {
      return anonymous_target(push.registry->value);
    }
    const Found found = find(*push.registry, true);
    if (found) {
      diagnostics_.error(
          push.registry->at,
          fmt::format(
              "'credentials' are for a registry that is given by its address, '{}' is a connected "
              "one",
              found->name),
          "leave 'credentials' out, or write the host in 'registry'");
    }
    return found;
  }

  Found check_unnamed_target(const Step& step) {
    if (all_.size() > 1) {
      diagnostics_.warning(
          step.at,
          fmt::format("step '{}' names no registry, it pushes to the default one", step.name),
          fmt::format("connected are {}", join(names_, ", ")));
    }
    const Found target = default_registry();
    return target ? target : Found(all_.front());
  }

  /// A registry that only the step knows, for messages.
  static Found anonymous_target(std::string name) {
    RegistryIntegration target;
    target.name = std::move(name);
    return target;
  }

  void check_ecr_keys(const PushStep& push) {
    const auto require = [&](const std::optional<Text>& field, std::string_view name) {
      if (!field) {
        diagnostics_.error(
            push.provider_at,
            fmt::format("'{}' is required for a push to Amazon ECR with its own keys", name));
      }
    };
    require(push.access_key_id, "accessKeyId");
    require(push.secret_access_key, "secretAccessKey");
    require(push.aws.region, "region");
    if (push.aws.role_arn) {
      diagnostics_.error(
          push.aws.role_arn->at,
          "'role_arn' is not supported beside keys of the step's own",
          "connect the keys as an ECR integration and name it in 'registry'");
    }
    if (push.registry) {
      warn_unused(push.registry->at, "registry", "AWS says where the keys push to");
    }
    if (push.credentials) {
      warn_unused(push.credentials->username.at, "credentials", "provider 'ecr' takes keys");
    }
    check_aws(push.aws, std::nullopt);
  }

  void warn_of_unused_keys(const PushStep& push) {
    constexpr std::string_view k_hint = "it is for 'provider: ecr'";
    if (push.access_key_id) {
      warn_unused(push.access_key_id->at, "accessKeyId", k_hint);
    }
    if (push.secret_access_key) {
      warn_unused(push.secret_access_key->at, "secretAccessKey", k_hint);
    }
  }

  void warn_unused(const SourcePosition& at, std::string_view field, std::string_view hint) {
    diagnostics_.warning(at, fmt::format("'{}' has no effect here", field), std::string(hint));
  }

  void check_aws(const AwsFields& fields, const Found& registry) {
    using Field = registries::aws::StepOptionProblem::Field;
    const auto value = [](const std::optional<Text>& text) {
      return text ? std::optional(text->value) : std::nullopt;
    };
    registries::aws::WrittenStepOptions written;
    written.region = value(fields.region);
    written.role_arn = value(fields.role_arn);
    written.session_name = value(fields.session_name);
    written.duration_seconds = fields.duration_seconds;
    for (auto& problem : registries::aws::check_step_options(written, registry)) {
      SourcePosition at = fields.duration_at;
      if (problem.field == Field::region) {
        at = fields.region->at;
      } else if (problem.field == Field::role_arn) {
        at = fields.role_arn->at;
      } else if (problem.field == Field::session_name) {
        at = fields.session_name->at;
      }
      diagnostics_.error(at, std::move(problem.message), std::move(problem.hint));
    }
  }

  const std::vector<RegistryIntegration>& all_;
  model::PushMode push_mode_;
  std::vector<std::string> names_;
  Diagnostics& diagnostics_;
};

}  // namespace

void check_registries(
    const Pipeline& pipeline,
    const std::vector<model::RegistryIntegration>& registries,
    model::PushMode push_mode,
    Diagnostics& diagnostics) {
  Checker checker(registries, push_mode, diagnostics);
  for (const Step& step : pipeline.steps) {
    std::visit([&](const auto& body) { checker.check(step, body); }, step.body);
  }
}

}  // namespace freshet::pipeline
