// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/connection_test.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/registries/naming.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace freshet::registries {
namespace {

constexpr std::string_view k_unused_name = "freshet-connection-test";

constexpr std::array<std::string_view, 6> k_check_names{
    "reach", "tls", "protocol", "credentials", "pull", "push"};
constexpr std::array<std::string_view, 4> k_result_names{"passed", "failed", "skipped", "unknown"};

/// The report as it grows: checks are settled one after the other.
class ReportBuilder {
 public:
  ReportBuilder() {
    for (std::size_t i = 0; i < report_.checks.size(); ++i) {
      report_.checks[i].name = static_cast<CheckName>(i);
    }
  }

  void settle(CheckName name, CheckResult result, std::string message, std::string hint = {}) {
    Check& check = report_.checks.at(static_cast<std::size_t>(name));
    check.result = result;
    check.message = std::move(message);
    check.hint = std::move(hint);
  }

  void fail(CheckName name, const Error& error) {
    settle(name, CheckResult::failed, error.message(), error.hint());
    quote(name, error.remote_text());
  }

  void quote(CheckName name, std::string remote_text) {
    report_.checks.at(static_cast<std::size_t>(name)).remote_text = std::move(remote_text);
  }

  ConnectionReport report() { return std::move(report_); }

 private:
  ConnectionReport report_;
};

/// What a step of the test ended in: exactly one is set.
template <class T>
struct Attempt {
  std::optional<T> value;
  std::optional<Error> error;
  std::optional<net::TransportProblem> transport;  // with `error`, when no answer came
};

template <class T>
Awaitable<Attempt<T>> outcome_of(Awaitable<T> operation) {
  Attempt<T> outcome;
  try {
    outcome.value.emplace(co_await std::move(operation));
  } catch (const net::TransportError& error) {
    outcome.error = error;
    outcome.transport = error.kind();
  } catch (const Error& error) {
    outcome.error = error;
  }
  co_return outcome;
}

/// Who is let in, as messages say it; empty: anybody.
Awaitable<std::string> log_in(
    Ctx ctx, oci::RegistryClient& client, std::shared_ptr<oci::CredentialSource> credentials) {
  const auto login = co_await credentials->get(ctx);
  co_await client.check_credentials(ctx);
  co_return login ? login->shown_user() : std::string();
}

/// Whether it is there.
Awaitable<bool> ask_for_image(Ctx ctx, oci::RegistryClient& client, oci::Reference reference) {
  const auto manifest = co_await client.find_manifest(ctx, reference.path, reference.tag);
  co_return manifest.has_value();
}

void settle_encryption(
    ReportBuilder& report, const model::RegistryIntegration& integration, bool is_encrypted) {
  const std::string& domain = integration.domain;
  if (is_encrypted && integration.connection.is_verification_off) {
    report.settle(
        CheckName::tls,
        CheckResult::skipped,
        fmt::format("the certificate of '{}' is not verified, as its settings say", domain));
  } else if (!is_encrypted && integration.connection.is_plain_http) {
    report.settle(
        CheckName::tls,
        CheckResult::skipped,
        fmt::format("'{}' speaks plain http, as its settings allow", domain));
  } else if (is_encrypted) {
    report.settle(
        CheckName::tls, CheckResult::passed, fmt::format("'{}' has a valid certificate", domain));
  } else {
    report.settle(
        CheckName::tls,
        CheckResult::skipped,
        fmt::format("'{}' speaks plain http, which is accepted on this machine only", domain));
  }
}

/// Whether the test can go on.
bool settle_ping(
    ReportBuilder& report,
    const model::RegistryIntegration& integration,
    const Attempt<oci::PingAnswer>& ping) {
  const std::string& domain = integration.domain;
  if (ping.transport && *ping.transport != net::TransportProblem::tls) {
    report.fail(CheckName::reach, *ping.error);
    return false;
  }
  report.settle(CheckName::reach, CheckResult::passed, fmt::format("'{}' answers", domain));
  if (ping.transport) {
    report.fail(CheckName::tls, *ping.error);
    return false;
  }
  if (ping.error) {
    report.fail(CheckName::protocol, *ping.error);
    return false;
  }
  settle_encryption(report, integration, ping.value->is_encrypted);
  if (!ping.value->is_registry) {
    report.settle(
        CheckName::protocol,
        CheckResult::failed,
        fmt::format("'{}' answers but is not a registry: {}", domain, ping.value->evidence),
        "check the domain and port: it must be the host that image names start with");
    return false;
  }
  report.settle(
      CheckName::protocol,
      CheckResult::passed,
      fmt::format("'{}' is a registry (API version 2)", domain));
  return true;
}

bool settle_login(
    ReportBuilder& report,
    const model::RegistryIntegration& integration,
    const Attempt<std::string>& login,
    bool wants_credentials) {
  if (login.error) {
    report.fail(CheckName::credentials, *login.error);
    return false;
  }
  if (wants_credentials) {
    report.settle(
        CheckName::credentials,
        CheckResult::passed,
        fmt::format("'{}' accepts the credentials of {}", integration.domain, *login.value));
  } else {
    report.settle(
        CheckName::credentials,
        CheckResult::unknown,
        fmt::format("'{}' lets everybody in and does not look at credentials", integration.domain));
  }
  return true;
}

/// Many registries answer "denied" for what does not exist: that says nothing about a made-up name.
void settle_pull(
    ReportBuilder& report, const std::string& name, const Attempt<bool>& pull, bool is_made_up) {
  const std::string about = fmt::format("pulling from '{}'", name);
  if (pull.value) {
    report.settle(CheckName::pull, CheckResult::passed, about + " is allowed");
  } else if (is_made_up && pull.error->code() == ErrorCode::upstream_denied) {
    report.settle(
        CheckName::pull,
        CheckResult::unknown,
        about +
            " cannot be judged: the registry does not tell what is missing from what is denied");
    report.quote(CheckName::pull, pull.error->remote_text());
  } else {
    report.fail(CheckName::pull, *pull.error);
  }
}

ConnectionReport firewall_report(const std::string& domain) {
  ReportBuilder report;
  report.settle(
      CheckName::reach,
      CheckResult::skipped,
      fmt::format("'{}' is behind a firewall: only runners with a way there reach it", domain));
  return report.report();
}

void settle_push(
    ReportBuilder& report, const std::string& name, const Attempt<oci::PushProbe>& push) {
  if (push.error) {
    report.fail(CheckName::push, *push.error);
    return;
  }
  const std::string about = fmt::format("pushing to '{}'", name);
  switch (push.value->answer) {
    case oci::PushProbe::Answer::yes:
      report.settle(CheckName::push, CheckResult::passed, about + " is allowed");
      return;
    case oci::PushProbe::Answer::no:
      report.settle(
          CheckName::push,
          CheckResult::failed,
          fmt::format("{} is not allowed: {}", about, push.value->reason),
          "the user needs the right to push there; check also the repository prefix");
      break;
    case oci::PushProbe::Answer::unknown:
      report.settle(
          CheckName::push,
          CheckResult::unknown,
          fmt::format("{} cannot be judged: {}", about, push.value->reason));
      break;
  }
  report.quote(CheckName::push, push.value->remote_text);
}

/// Where a push is tried. On Docker Hub a name without namespace belongs to nobody.
oci::Reference reference_to_try(
    const model::RegistryIntegration& integration,
    const std::string& username,
    std::string repository) {
  PushTarget target;
  target.domain = integration.domain;
  target.prefix = integration.repository_prefix;
  target.source = NameSource::push_image_name;
  target.tag = "latest";
  target.name = std::move(repository);
  if (target.name.empty()) {
    const bool needs_namespace = integration.domain == "docker.io";
    target.name = needs_namespace ? fmt::format("{}/{}", to_lower(username), k_unused_name)
                                  : std::string(k_unused_name);
  }
  return compose_push_reference(target);
}

}  // namespace

std::string_view to_string(CheckName name) {
  return k_check_names.at(static_cast<std::size_t>(name));
}

std::string_view to_string(CheckResult result) {
  return k_result_names.at(static_cast<std::size_t>(result));
}

bool ConnectionReport::has_passed() const {
  return std::ranges::none_of(
      checks, [](const Check& check) { return check.result == CheckResult::failed; });
}

Awaitable<ConnectionReport> test_connection(
    Ctx ctx,
    oci::RegistryClient& client,
    model::RegistryIntegration integration,
    std::shared_ptr<oci::CredentialSource> credentials,
    std::string repository) {
  if (integration.is_behind_firewall) {
    co_return firewall_report(integration.domain);
  }
  const bool is_made_up = repository.empty();
  if (!is_made_up) {
    reference_to_try(integration, integration.username, repository);  // throws when malformed
  }
  const auto ping = co_await outcome_of(client.ping(ctx));
  ReportBuilder report;
  if (!settle_ping(report, integration, ping)) {
    co_return report.report();
  }
  const auto login = co_await outcome_of(log_in(ctx, client, std::move(credentials)));
  if (!settle_login(report, integration, login, ping.value->wants_credentials)) {
    co_return report.report();
  }
  const oci::Reference reference =
      reference_to_try(integration, integration.username, std::move(repository));
  const auto pull = co_await outcome_of(ask_for_image(ctx, client, reference));
  settle_pull(report, reference.name(), pull, is_made_up);
  const auto push = co_await outcome_of(client.can_push(ctx, reference.path));
  settle_push(report, reference.name(), push);
  co_return report.report();
}

}  // namespace freshet::registries
