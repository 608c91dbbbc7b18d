// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"

#include <string>

namespace freshet::registries {

/// What a push step says about a registry that is not connected; variables are put in.
struct InlineLogin {
  std::string provider = "docker";  // or its alias `standard`, or `ecr`
  std::string registry;  // host or URL; empty: Docker Hub. Not for ecr
  std::string username;
  Secret password;
  std::string access_key_id;  // the following for ecr
  Secret secret_access_key;
  std::string region;

  bool operator==(const InlineLogin&) const = default;
};

/// The same, checked.
struct InlineTarget {
  bool is_ecr = false;
  std::string domain;  // empty for ecr: AWS says it
  bool is_plain_http = false;  // the step says `http://`
};

/// Throws invalid_input with everything that is missing or malformed.
InlineTarget check_inline_login(const InlineLogin& login);

}  // namespace freshet::registries
