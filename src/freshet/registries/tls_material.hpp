// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"

#include <cstddef>
#include <string_view>

namespace freshet::registries {

/// How many certificates the PEM text holds. Throws invalid_input when one of them is malformed.
std::size_t count_certificates(std::string_view pem);

/// Throws invalid_input when `key` (PEM, not encrypted) is malformed or belongs to another than the
/// first certificate of `chain`.
void require_key_fits(std::string_view chain, const Secret& key);

}  // namespace freshet::registries
