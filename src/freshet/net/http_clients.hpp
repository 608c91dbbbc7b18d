// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/connection_settings.hpp"
#include "freshet/net/egress_policy.hpp"
#include "freshet/net/http.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace freshet::net {

/// The HTTP clients of a process: one for each way to reach servers, shared by all who want the
/// same way, so that they share its connections and what it learnt of each host's limits
/// (`LimitedHttpClient`). May be used from any thread.
class HttpClients {
 public:
  explicit HttpClients(asio::any_io_executor executor, EgressPolicy egress = {});
  ~HttpClients();
  HttpClients(const HttpClients&) = delete;
  HttpClients& operator=(const HttpClients&) = delete;

  /// Lives as long as this. Throws invalid_input as `CurlHttpClient` does.
  HttpClient& client_for(const ConnectionSettings& settings);

 private:
  struct Entry;

  asio::any_io_executor executor_;
  EgressPolicy egress_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace freshet::net
