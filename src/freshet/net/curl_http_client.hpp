// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"

#include <memory>

namespace freshet::net {

/// HTTP/1.1 and HTTP/2 by libcurl, driven by the sockets and timers of Asio, so nothing blocks.
///
/// Connections are kept and reused. Certificates are verified against the system's; proxies come
/// from the environment (`https_proxy`, `no_proxy`, …); a connection must stand within ten seconds.
/// `send` may be called from any thread. Destroy it when no `send` is under way any more.
class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(asio::any_io_executor executor);
  ~CurlHttpClient() override;
  CurlHttpClient(const CurlHttpClient&) = delete;
  CurlHttpClient& operator=(const CurlHttpClient&) = delete;

  Awaitable<HttpResponse> send(Ctx ctx, HttpRequest request) override;

 private:
  std::shared_ptr<class CurlDriver> driver_;
};

}  // namespace freshet::net
