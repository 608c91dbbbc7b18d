// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_settings.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/files.hpp"
#include "freshet/net/no_proxy.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

namespace freshet::net {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio open_memory(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

/// A key that asks for a passphrase is refused, not asked about on the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

[[noreturn]] void refuse(std::string message, std::string hint) {
  ERR_clear_error();
  throw Error(ErrorCode::invalid_input, std::move(message)).with_hint(std::move(hint));
}

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(handle, option, value);
  if (code != CURLE_OK) {
    throw Error(
        ErrorCode::internal,
        fmt::format("curl option {}: {}", int(option), curl_easy_strerror(code)));
  }
}

void set_blob(CURL* handle, CURLoption option, std::string_view text) {
  curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
  set(handle, option, &blob);
}

/// Whether the system's authorities also lie in a directory from which OpenSSL takes only the ones
/// it needs. Reading the file with all of them takes longer than many a request.
bool has_hashed_authorities() {
  static const bool has = [] {
    const char* directory = curl_version_info(CURLVERSION_NOW)->capath;
    if (directory == nullptr) {
      return false;
    }
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(directory, unreadable)) {
      const std::string name = entry.path().filename().string();
      constexpr std::size_t k_hash_digits = 8;
      if (name.size() == k_hash_digits + 2 && name.ends_with(".0") &&
          name.find_first_not_of("0123456789abcdef") == k_hash_digits) {
        return true;
      }
    }
    return false;
  }();
  return has;
}

/// The value of the first of these environment variables that is not empty; empty: none is.
std::string first_set(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') {
      return value;
    }
  }
  return {};
}

}  // namespace

CurlSettings::CurlSettings(ConnectionSettings settings, EgressPolicy egress)
    : settings_(std::move(settings)), egress_(std::move(egress)) {
  read_authorities();
  check_client_certificate();
  check_proxy();
}

void CurlSettings::read_authorities() {
  if (settings_.ca_certificates.empty()) {
    return;
  }
  const Bio text = open_memory(settings_.ca_certificates);
  while (X509* certificate = PEM_read_bio_X509(text.get(), nullptr, no_passphrase, nullptr)) {
    authorities_.emplace_back(certificate);
  }
  const unsigned long ended_by = ERR_peek_last_error();
  ERR_clear_error();
  if (authorities_.empty() || ERR_GET_REASON(ended_by) != PEM_R_NO_START_LINE) {
    refuse(
        "the CA certificates are not all certificates in PEM form",
        "give one or more blocks from '-----BEGIN CERTIFICATE-----' to '-----END "
        "CERTIFICATE-----'");
  }
}

void CurlSettings::check_client_certificate() const {
  if (settings_.client_certificate.empty() && settings_.client_key.is_empty()) {
    return;
  }
  const Bio certificate_text = open_memory(settings_.client_certificate);
  const std::unique_ptr<X509, Free> certificate(
      PEM_read_bio_X509(certificate_text.get(), nullptr, no_passphrase, nullptr));
  if (certificate == nullptr) {
    refuse(
        "the client certificate is not a certificate in PEM form",
        "give the block from '-----BEGIN CERTIFICATE-----' to '-----END CERTIFICATE-----'");
  }
  const Bio key_text = open_memory(settings_.client_key.reveal());
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  if (key == nullptr) {
    refuse(
        "the key of the client certificate is not a private key in PEM form",
        "give it without passphrase, from '-----BEGIN' to 'PRIVATE KEY-----'");
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    refuse(
        "the client certificate and the key do not belong together",
        "the certificate of the key comes first, those of its authorities after it");
  }
}

void CurlSettings::check_proxy() const {
  if (settings_.proxy.empty()) {
    return;
  }
  const auto url = parse_url(settings_.proxy);
  if (!url) {
    refuse(
        "the proxy is not an http or https URL", "write it as in 'http://proxy.example.com:3128'");
  }
  if (url->has_userinfo) {
    refuse(
        fmt::format("the URL of the proxy '{}' contains credentials", url->authority()),
        "give its user name and password apart from the URL");
  }
}

bool CurlSettings::may_use_proxy() const {
  return uses_proxy_for("http") || uses_proxy_for("https");
}

/// As it was written; empty: none.
std::string CurlSettings::proxy_for(std::string_view scheme) const {
  if (settings_.is_direct || !settings_.proxy.empty()) {
    return settings_.is_direct ? std::string() : settings_.proxy;
  }
  // HTTP_PROXY is no such variable: a request's header "Proxy" could set it in a CGI program.
  const std::string own =
      scheme == "https" ? first_set({"https_proxy", "HTTPS_PROXY"}) : first_set({"http_proxy"});
  return own.empty() ? first_set({"all_proxy", "ALL_PROXY"}) : own;
}

std::string CurlSettings::fix_way(CURL* handle, const Url& url, bool heeds_no_proxy) const {
  std::string proxy = proxy_for(url.scheme);
  if (heeds_no_proxy && is_exempt_from_proxy(first_set({"no_proxy", "NO_PROXY"}), url.host)) {
    proxy.clear();
  }
  set(handle, CURLOPT_PROXY, proxy.c_str());
  set(handle, CURLOPT_NOPROXY, proxy.empty() ? "*" : "");
  if (proxy.empty()) {
    return proxy;
  }
  const std::size_t scheme = proxy.find("://");  // may be missing, or one of a SOCKS proxy
  const auto at = parse_url("http://" + (scheme == proxy.npos ? proxy : proxy.substr(scheme + 3)));
  return at ? at->host : proxy;
}

void CurlSettings::ignore_no_proxy(CURL* handle) const {
  if (!settings_.is_direct) {
    set(handle, CURLOPT_NOPROXY, "");
  }
}

void CurlSettings::apply_to(CURL* handle) const {
  if (has_hashed_authorities()) {
    set(handle, CURLOPT_CAINFO, static_cast<const char*>(nullptr));
  }
  set(handle, CURLOPT_SSL_VERIFYPEER, settings_.is_verification_off ? 0L : 1L);
  set(handle, CURLOPT_SSL_VERIFYHOST, settings_.is_verification_off ? 0L : 2L);
  if (!authorities_.empty()) {
    set(handle, CURLOPT_SSL_CTX_FUNCTION, &CurlSettings::on_context);
    set(handle, CURLOPT_SSL_CTX_DATA, const_cast<void*>(static_cast<const void*>(this)));
  }
  if (!settings_.client_certificate.empty()) {
    set_blob(handle, CURLOPT_SSLCERT_BLOB, settings_.client_certificate);
    set_blob(handle, CURLOPT_SSLKEY_BLOB, settings_.client_key.reveal());
  }
  set(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (settings_.is_direct) {
    set(handle, CURLOPT_NOPROXY, "*");
  } else if (!settings_.proxy.empty()) {
    set(handle, CURLOPT_PROXY, settings_.proxy.c_str());
  }
  if (!settings_.proxy_username.empty()) {
    set(handle, CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
    set(handle, CURLOPT_PROXYUSERNAME, settings_.proxy_username.c_str());
    set(handle, CURLOPT_PROXYPASSWORD, std::string(settings_.proxy_password.reveal()).c_str());
  }
}

/// Adds our authorities to those of the system, which stay trusted.
CURLcode CurlSettings::on_context(CURL*, void* context, void* self) {
  X509_STORE* store = SSL_CTX_get_cert_store(static_cast<SSL_CTX*>(context));
  for (const auto& authority : static_cast<const CurlSettings*>(self)->authorities_) {
    if (X509_STORE_add_cert(store, authority.get()) != 1) {
      ERR_clear_error();
      return CURLE_SSL_CACERT_BADFILE;
    }
  }
  return CURLE_OK;
}

}  // namespace freshet::net
