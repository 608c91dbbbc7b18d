// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/own_host_http.hpp"

#include "freshet/net/url.hpp"

#include <fmt/format.h>

namespace freshet::registries {

net::HttpClient& OwnHostHttp::client_for(const net::HttpRequest& request) const {
  const auto url = net::parse_url(request.url);
  // A port that is the scheme's own may be spelled out in the domain.
  const bool is_own =
      url && (url->authority() == host_ || fmt::format("{}:{}", url->host, url->port) == host_);
  return is_own ? own_ : others_;
}

Awaitable<net::HttpResponse> OwnHostHttp::send(Ctx ctx, net::HttpRequest request) {
  net::HttpClient& client = client_for(request);
  return client.send(ctx, std::move(request));
}

Awaitable<std::unique_ptr<net::HttpStream>> OwnHostHttp::open(Ctx ctx, net::HttpRequest request) {
  net::HttpClient& client = client_for(request);
  return client.open(ctx, std::move(request));
}

}  // namespace freshet::registries
