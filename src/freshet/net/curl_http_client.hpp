// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/connection_settings.hpp"
#include "freshet/net/egress_policy.hpp"
#include "freshet/net/http.hpp"

#include <memory>

namespace freshet::net {

/// HTTP/1.1 and HTTP/2 by libcurl, driven by the sockets and timers of Asio, so nothing blocks.
/// Streams are HTTP/1.1, each with a connection of its own while it lasts.
///
/// Connections are kept and reused. Certificates are verified against the system's and those of the
/// settings; proxies come from the settings, else from the environment (`https_proxy`, …), and
/// `no_proxy` holds for both; a connection must stand within ten seconds.
/// `send` and `open` may be called from any thread. Destroy it when no `send` is under way any
/// more; streams may outlive it.
class CurlHttpClient final : public HttpClient {
 public:
  /// Throws invalid_input when a certificate, key or proxy of `settings` is none.
  /// What `egress` does not permit is refused as TransportProblem::forbidden without a connection,
  /// in words that tell nothing of the host.
  explicit CurlHttpClient(
      asio::any_io_executor executor, ConnectionSettings settings = {}, EgressPolicy egress = {});
  ~CurlHttpClient() override;
  CurlHttpClient(const CurlHttpClient&) = delete;
  CurlHttpClient& operator=(const CurlHttpClient&) = delete;

  Awaitable<HttpResponse> send(Ctx ctx, HttpRequest request) override;
  Awaitable<std::unique_ptr<HttpStream>> open(Ctx ctx, HttpRequest request) override;

 private:
  std::shared_ptr<const class CurlSettings> settings_;
  std::shared_ptr<class CurlDriver> driver_;
};

}  // namespace freshet::net
