// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/base/text.hpp"
#include "freshet/net/testing/loopback_server.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace freshet::oci::testing {

/// A token server as distribution's registry trusts it: it gives a signed token for whatever scope
/// is asked, to the one user that it knows.
class TokenIssuer {
 public:
  static constexpr const char* k_service = "test registry";
  static constexpr const char* k_issuer = "test issuer";

  explicit TokenIssuer(std::string basic_pair)
      : key_(EVP_RSA_gen(2048), &EVP_PKEY_free),
        certificate_(make_certificate(key_.get()), &X509_free),
        wanted_("Authorization: Basic " + to_base64(basic_pair)),
        server_(
            net::testing::answering([this](const std::string& header) { return answer(header); })) {
  }

  std::string authority() const { return server_.authority(); }
  std::string realm() const { return server_.url("/token"); }
  int requests() const { return requests_; }

  /// What the registry is to trust, PEM.
  std::string root_certificate() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_X509(out.get(), certificate_.get());
    char* text = nullptr;
    const long length = BIO_get_mem_data(out.get(), &text);
    return std::string(text, static_cast<std::size_t>(length));
  }

 private:
  static X509* make_certificate(EVP_PKEY* key) {
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* text = reinterpret_cast<const unsigned char*>("token issuer");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    return certificate;
  }

  static std::string base64_url(std::string_view bytes) {
    std::string text = to_base64_url(bytes);
    text.erase(text.find_last_not_of('=') + 1);
    return text;
  }

  std::string certificate_base64() const {
    unsigned char* der = nullptr;
    const int length = i2d_X509(certificate_.get(), &der);
    const std::string text =
        to_base64(std::string_view(reinterpret_cast<char*>(der), static_cast<std::size_t>(length)));
    OPENSSL_free(der);
    return text;
  }

  std::string sign(std::string_view text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
        EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    std::size_t length = 512;
    std::string signature(length, '\0');
    EVP_DigestSign(
        context.get(),
        reinterpret_cast<unsigned char*>(signature.data()),
        &length,
        reinterpret_cast<const unsigned char*>(text.data()),
        text.size());
    signature.resize(length);
    return signature;
  }

  /// The scopes of the query: `scope=repository%3Aname%3Apull%2Cpush`, more than one or none.
  static boost::json::array access_of(const std::string& header) {
    boost::json::array access;
    const std::string line = header.substr(0, header.find("\r\n"));
    for (std::size_t at = 0; (at = line.find("scope=", at)) != std::string::npos;) {
      at += 6;
      std::string scope = line.substr(at, line.find_first_of("& ", at) - at);
      for (const auto& [code, plain] : {std::pair{"%3A", ":"}, {"%2C", ","}, {"%2F", "/"}}) {
        for (std::size_t found = 0; (found = scope.find(code)) != std::string::npos;) {
          scope.replace(found, 3, plain);
        }
      }
      const auto parts = split(scope, ':');
      boost::json::array actions;
      for (const std::string& action : split(parts.back(), ',')) {
        actions.emplace_back(action);
      }
      access.push_back(boost::json::object{
          {"type", parts.front()}, {"name", parts.at(1)}, {"actions", std::move(actions)}});
    }
    return access;
  }

  std::string answer(const std::string& header) {
    ++requests_;
    if (header.find(wanted_) == std::string::npos) {
      return net::testing::http_answer("401 Unauthorized", R"({"details":"who are you?"})");
    }
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const boost::json::object head{
        {"typ", "JWT"}, {"alg", "RS256"}, {"x5c", boost::json::array{certificate_base64()}}};
    const boost::json::object claims{
        {"iss", k_issuer},
        {"sub", "robot"},
        {"aud", k_service},
        {"exp", now + 300},
        {"nbf", now - 10},
        {"iat", now},
        {"jti", std::to_string(requests_)},
        {"access", access_of(header)}};
    const std::string text =
        base64_url(boost::json::serialize(head)) + "." + base64_url(boost::json::serialize(claims));
    const std::string token = text + "." + base64_url(sign(text));
    const boost::json::object body{{"token", token}, {"expires_in", 300}};
    return net::testing::http_answer("200 OK", boost::json::serialize(body));
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
  std::string wanted_;
  std::atomic<int> requests_ = 0;
  net::testing::LoopbackServer server_;
};

}  // namespace freshet::oci::testing
