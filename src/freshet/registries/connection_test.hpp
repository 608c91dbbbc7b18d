// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/model/registry.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/oci/distribution/credentials.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace freshet::registries {

/// What a connection test looks at, each needing those before it, but push not pull.
enum class CheckName { reach, tls, protocol, credentials, pull, push };
enum class CheckResult { passed, failed, skipped, unknown };

std::string_view to_string(CheckName name);
std::string_view to_string(CheckResult result);

struct Check {
  CheckName name = CheckName::reach;
  CheckResult result = CheckResult::skipped;
  std::string
      message;  // in the form of an error message; empty when skipped for an earlier failure
  std::string hint;  // may be empty
  std::string remote_text;  // the registry's own words; may be empty
};

/// One check of each kind, in the order of `CheckName`.
struct ConnectionReport {
  std::array<Check, 6> checks;

  const Check& at(CheckName name) const { return checks.at(static_cast<std::size_t>(name)); }
  /// Whether nothing failed.
  bool has_passed() const;
};

/// Tries whether Freshet can work with a registry: reaches it, judges what answers, logs in, asks
/// for an image and begins a push that it abandons. Stores nothing.
///
/// `client` is the integration's, and `credentials` what it logs in with. A registry behind a
/// firewall is not asked at all: every check is skipped. `repository` is the name to try pull and
/// push with (the prefix is put before it); empty: a name that nobody uses. Nothing of it is left
/// but, on some registries, an empty repository.
/// Throws invalid_input (malformed repository) and nothing else but cancellation.
Awaitable<ConnectionReport> test_connection(
    Ctx ctx,
    oci::RegistryClient& client,
    model::RegistryIntegration integration,
    std::shared_ptr<oci::CredentialSource> credentials,
    std::string repository = std::string());

}  // namespace freshet::registries
