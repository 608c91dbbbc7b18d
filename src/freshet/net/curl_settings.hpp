// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/connection_settings.hpp"
#include "freshet/net/egress_policy.hpp"
#include "freshet/net/url.hpp"

#include <curl/curl.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>
#include <vector>

namespace freshet::net {

/// `ConnectionSettings`, checked and read once, in the form in which curl takes them, and whom they
/// may lead to. Must outlive the transfers that it was applied to.
class CurlSettings {
 public:
  /// Throws invalid_input when a certificate or key is none, the two do not belong together, or the
  /// proxy is no URL or carries credentials. No message quotes any of them.
  explicit CurlSettings(ConnectionSettings settings, EgressPolicy egress = {});
  CurlSettings(const CurlSettings&) = delete;
  CurlSettings& operator=(const CurlSettings&) = delete;

  void apply_to(CURL* handle) const;
  /// Whether a proxy, ours or the environment's, may stand between us and a server.
  bool may_use_proxy() const;
  /// Whether one does stand before every server of `scheme` (`http`, `https`) that `no_proxy` does
  /// not take out.
  bool uses_proxy_for(std::string_view scheme) const { return !proxy_for(scheme).empty(); }
  const EgressPolicy& egress() const { return egress_; }
  /// Takes no server out, whatever `no_proxy` says.
  void ignore_no_proxy(CURL* handle) const;
  /// Makes `handle` take the way to `url` that it would take anyway, and no other, whatever it
  /// thinks of the environment: whoever judges the way must know it. Returns the proxy's host;
  /// empty: `url` is asked directly. Unless `heeds_no_proxy`, nothing is taken out.
  std::string fix_way(CURL* handle, const Url& url, bool heeds_no_proxy) const;
  bool has_own_authorities() const { return !authorities_.empty(); }

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };

  std::string proxy_for(std::string_view scheme) const;
  static CURLcode on_context(CURL*, void* context, void* self);
  void read_authorities();
  void check_client_certificate() const;
  void check_proxy() const;

  ConnectionSettings settings_;
  EgressPolicy egress_;
  std::vector<std::unique_ptr<X509, Free>> authorities_;
};

}  // namespace freshet::net
