// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/sealing.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <vector>

namespace freshet::store {
namespace {

constexpr std::string_view k_version = "v1";
constexpr std::size_t k_nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t k_tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(Sealer::k_key_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// 64 bits of a hash: enough to tell keys apart, and useless for finding the key.
std::string make_key_id(const Secret& key) {
  constexpr std::string_view k_domain = "freshet sealing key id";
  std::array<char, crypto_generichash_BYTES_MIN> hash{};
  crypto_generichash(
      reinterpret_cast<unsigned char*>(hash.data()),
      hash.size(),
      bytes_of(k_domain),
      k_domain.size(),
      bytes_of(key.reveal()),
      key.reveal().size());
  return to_hex({hash.data(), 8});
}

/// Unambiguous: neither part contains a zero byte.
std::string associated_data(SealedFor owner) {
  return fmt::format("{}{}{}{}{}", k_version, '\0', owner.purpose, '\0', owner.row_id);
}

Error damaged() {
  return Error(
             ErrorCode::corrupt_data,
             "the stored secret is damaged or was sealed for another record")
      .with_hint("enter the password of this integration again");
}

}  // namespace

Sealer::Sealer(Secret key) : key_(std::move(key)) {
  FRESHET_ASSERT(sodium_init() >= 0);
  FRESHET_ASSERT(key_.reveal().size() == k_key_bytes);
  key_id_ = make_key_id(key_);
}

std::string Sealer::seal(const Secret& plain, SealedFor owner) const {
  const std::string_view text = plain.reveal();
  const std::string bound = associated_data(owner);
  std::string sealed(k_nonce_bytes + text.size() + k_tag_bytes, '\0');
  auto* nonce = reinterpret_cast<unsigned char*>(sealed.data());
  randombytes_buf(nonce, k_nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      nonce + k_nonce_bytes,
      nullptr,
      bytes_of(text),
      text.size(),
      bytes_of(bound),
      bound.size(),
      nullptr,
      nonce,
      bytes_of(key_.reveal()));
  return fmt::format("{}:{}:{}", k_version, key_id_, to_base64(sealed));
}

Secret Sealer::unseal(std::string_view sealed, SealedFor owner) const {
  const std::vector<std::string> parts = split(sealed, ':');
  if (parts.size() != 3) {
    throw damaged();
  }
  if (parts[0] != k_version) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format(
            "the stored secret has the form '{}', which this freshet does not know",
            printable(parts[0], 16)))
        .with_hint("update freshet");
  }
  if (parts[1] != key_id_) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "the stored secret was sealed with key '{}', the key file holds '{}'",
            printable(parts[1], 16),
            key_id_))
        .with_hint(
            "put back the file 'key' that belongs to this database, "
            "or enter the password of this integration again");
  }
  const std::optional<std::string> bytes = from_base64(parts[2]);
  if (!bytes || bytes->size() < k_nonce_bytes + k_tag_bytes) {
    throw damaged();
  }
  const std::string bound = associated_data(owner);
  std::string plain(bytes->size() - k_nonce_bytes - k_tag_bytes, '\0');
  const int outcome = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(plain.data()),
      nullptr,
      nullptr,
      bytes_of(*bytes) + k_nonce_bytes,
      bytes->size() - k_nonce_bytes,
      bytes_of(bound),
      bound.size(),
      bytes_of(*bytes),
      bytes_of(key_.reveal()));
  if (outcome != 0) {
    throw damaged();
  }
  Secret secret(plain);
  sodium_memzero(plain.data(), plain.size());
  return secret;
}

}  // namespace freshet::store
