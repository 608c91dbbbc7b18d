// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/secret.hpp"

#include <memory>
#include <optional>
#include <string>

namespace freshet::oci {

/// Who asks a registry.
struct Credentials {
  std::string username;
  Secret password;

  /// For messages: `user 'bob'`, or `the token` where the name is a secret itself.
  std::string shown_user() const;
};

/// Where the login of a registry comes from at the moment of use: it may be a stored password, or
/// something that expires and is fetched anew.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  /// Those to use now, valid for some minutes at least; nullopt: ask as nobody. Throws what keeps
  /// them from being had (upstream_denied, unavailable, …).
  virtual Awaitable<std::optional<Credentials>> get(Ctx ctx) = 0;
  /// Those given last were refused. Returns whether the next `get` may give other ones.
  virtual bool discard() = 0;
};

/// The same credentials for ever.
class FixedCredentials final : public CredentialSource {
 public:
  explicit FixedCredentials(std::optional<Credentials> credentials)
      : credentials_(std::move(credentials)) {}

  Awaitable<std::optional<Credentials>> get(Ctx) override { co_return credentials_; }
  bool discard() override { return false; }

 private:
  std::optional<Credentials> credentials_;
};

}  // namespace freshet::oci
