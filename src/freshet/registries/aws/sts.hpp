// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/registries/aws/api.hpp"
#include "freshet/registries/aws/renewed.hpp"

namespace freshet::registries::aws {

/// A role to take.
struct Role {
  std::string arn;
  std::string session_name = "default-session-name";
  std::chrono::seconds duration{3600};

  auto operator<=>(const Role&) const = default;
};

/// Asks STS for keys that act as `role`, with the keys of somebody who may. Throws as `call_query`;
/// corrupt_data.
Awaitable<Keys> assume_role(
    Ctx ctx, Access access, std::string region, std::shared_ptr<KeySource> keys, Role role);
/// The same with a token of another identity provider instead of keys.
Awaitable<Keys> assume_role_with_web_identity(
    Ctx ctx, Access access, std::string region, Secret token, Role role);

/// The keys of a role, taken with other keys at the time of use and again before they expire.
class AssumedRole final : public KeySource {
 public:
  AssumedRole(Access access, std::string region, std::shared_ptr<KeySource> keys, Role role);

  Awaitable<Keys> get(Ctx ctx) override;
  bool discard() override;

 private:
  Awaitable<Renewed<Keys>::Dated> fetch(Ctx ctx);

  Access access_;
  std::string region_;
  std::shared_ptr<KeySource> keys_;
  Role role_;
  Renewed<Keys> renewed_;
};

/// `2026-03-01T12:00:00Z`, with or without a fraction; nullopt when it is none.
std::optional<UnixTime> parse_utc(std::string_view text);

}  // namespace freshet::registries::aws
