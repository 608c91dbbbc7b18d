// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"

#include <string>

namespace freshet::registries {

/// Sends requests to one host by one client and all others by another, so that what holds for a
/// registry (its client certificate, a certificate that is not verified) holds neither for its
/// token server nor for where it redirects to. Borrows both clients.
class OwnHostHttp final : public net::HttpClient {
 public:
  /// `host` is host[:port] as in a URL.
  OwnHostHttp(std::string host, net::HttpClient& own, net::HttpClient& others)
      : host_(std::move(host)), own_(own), others_(others) {}

  Awaitable<net::HttpResponse> send(Ctx ctx, net::HttpRequest request) override;
  Awaitable<std::unique_ptr<net::HttpStream>> open(Ctx ctx, net::HttpRequest request) override;

 private:
  net::HttpClient& client_for(const net::HttpRequest& request) const;

  std::string host_;
  net::HttpClient& own_;
  net::HttpClient& others_;
};

}  // namespace freshet::registries
