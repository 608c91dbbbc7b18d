// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"

#include <string>
#include <string_view>

namespace freshet::store {

/// What a sealed text belongs to. It opens for nothing else, so that whoever can write the database
/// but does not have the key cannot move a password to another row.
struct SealedFor {
  std::string_view purpose;  // e.g. `registry-password`
  std::string_view row_id;
};

/// Seals credentials for the database: XChaCha20-Poly1305 with a random nonce.
///
/// A sealed text is `v1:<key id>:<base64 of nonce and ciphertext>`. The key id is a hash of the key
/// that tells "another key" from "damaged". Thread-safe.
class Sealer {
 public:
  static constexpr std::size_t k_key_bytes = 32;

  /// `key` has exactly `k_key_bytes`.
  explicit Sealer(Secret key);

  std::string seal(const Secret& plain, SealedFor owner) const;
  /// Throws corrupt_data when another key sealed it, when it was sealed for another owner, or when
  /// it is damaged; unsupported when a newer Freshet sealed it.
  Secret unseal(std::string_view sealed, SealedFor owner) const;

 private:
  Secret key_;
  std::string key_id_;
};

}  // namespace freshet::store
