// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace freshet::net::testing {

/// A key and a certificate for it, valid for an hour.
class Certificate {
 public:
  /// An authority that vouches for itself and can issue.
  static Certificate authority(const std::string& name) { return {name, nullptr, "CA:TRUE", {}}; }
  /// One that vouches for itself and is nobody's authority, for `localhost` and 127.0.0.1.
  static Certificate self_signed() { return {"localhost", nullptr, "CA:FALSE", k_loopback}; }

  /// For a server on loopback, which answers to `localhost` and 127.0.0.1.
  Certificate issue_server() const { return {"localhost", this, "CA:FALSE", k_loopback}; }
  Certificate issue_client(const std::string& name) const { return {name, this, "CA:FALSE", {}}; }

  std::string certificate_pem() const {
    return written([this](BIO* out) { PEM_write_bio_X509(out, certificate_.get()); });
  }
  std::string key_pem() const {
    return written([this](BIO* out) {
      PEM_write_bio_PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

 private:
  static constexpr const char* k_loopback = "DNS:localhost,IP:127.0.0.1";

  Certificate(
      const std::string& name,
      const Certificate* issuer,
      const char* constraints,
      const char* alternative_names)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(X509_new(), X509_free) {
    static long serial = 1;
    X509* const certificate = certificate_.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key_.get());
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(certificate), "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509* const signer = issuer == nullptr ? certificate : issuer->certificate_.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(signer));
    add_extension(signer, NID_basic_constraints, constraints);
    if (alternative_names != nullptr) {
      add_extension(signer, NID_subject_alt_name, alternative_names);
    }
    X509_sign(certificate, issuer == nullptr ? key_.get() : issuer->key_.get(), EVP_sha256());
  }

  void add_extension(X509* signer, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, signer, certificate_.get(), nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
    ASSERT_NE(extension, nullptr) << value;
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }

  template <class Write>
  static std::string written(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    write(out.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }

  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
};

}  // namespace freshet::net::testing
