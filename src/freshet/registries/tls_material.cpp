// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/tls_material.hpp"

#include "freshet/base/error.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace freshet::registries {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> reader_of(std::string_view text) {
  Owned<BIO> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  FRESHET_ASSERT(bio != nullptr);
  return bio;
}

Owned<X509> next_certificate(BIO* bio) {
  return Owned<X509>(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
}

/// Instead of OpenSSL's default, which asks on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

std::size_t count_certificates(std::string_view pem) {
  const Owned<BIO> bio = reader_of(pem);
  std::size_t count = 0;
  ERR_clear_error();
  while (next_certificate(bio.get())) {
    ++count;
  }
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  const bool is_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (!is_end) {
    throw Error(ErrorCode::invalid_input, "the PEM text holds a malformed certificate");
  }
  return count;
}

void require_key_fits(std::string_view chain, const Secret& key) {
  const Owned<BIO> chain_bio = reader_of(chain);
  const Owned<X509> certificate = next_certificate(chain_bio.get());
  const Owned<BIO> key_bio = reader_of(key.reveal());
  const Owned<EVP_PKEY> parsed(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, &no_passphrase, nullptr));
  const bool fits =
      certificate && parsed && X509_check_private_key(certificate.get(), parsed.get()) == 1;
  ERR_clear_error();
  if (!parsed) {
    throw Error(ErrorCode::invalid_input, "the client key is no private key in PEM form")
        .with_hint("an encrypted key has to be decrypted first: 'openssl pkey -in KEY -out PLAIN'");
  }
  if (!fits) {
    throw Error(
        ErrorCode::invalid_input, "the client key does not belong to the client certificate");
  }
}

}  // namespace freshet::registries
