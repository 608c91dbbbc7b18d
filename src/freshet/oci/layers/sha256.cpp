// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/sha256.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <openssl/evp.h>

#include <array>

namespace freshet::oci {

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  FRESHET_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(const void* data, std::size_t size) {
  FRESHET_ASSERT(EVP_DigestUpdate(context_.get(), data, size) == 1);
}

Digest Sha256::finish() {
  std::array<unsigned char, 32> bytes = {};
  FRESHET_ASSERT(EVP_DigestFinal_ex(context_.get(), bytes.data(), nullptr) == 1);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return *Digest::parse("sha256:" + to_hex(text));
}

}  // namespace freshet::oci
