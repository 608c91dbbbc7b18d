// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/ids.hpp"
#include "freshet/base/secret.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace freshet::registries::aws {

/// What signs requests to AWS.
struct Keys {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // empty for keys that do not expire
  std::optional<UnixTime> expires_at;
};

/// Time of day, injected.
using WallClock = std::function<UnixTime()>;

/// Where keys come from at the moment of use.
class KeySource {
 public:
  virtual ~KeySource() = default;

  /// Valid for some minutes at least. Throws what keeps them from being had: upstream_denied,
  /// unavailable, not_found (nothing on this machine has any).
  virtual Awaitable<Keys> get(Ctx ctx) = 0;
  /// Those given last were refused. Returns whether the next `get` may give other ones.
  virtual bool discard() = 0;
};

/// The same keys for ever.
class FixedKeys final : public KeySource {
 public:
  explicit FixedKeys(Keys keys) : keys_(std::move(keys)) {}

  Awaitable<Keys> get(Ctx) override { co_return keys_; }
  bool discard() override { return false; }

 private:
  Keys keys_;
};

}  // namespace freshet::registries::aws
