// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/http_clients.hpp"

#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/host_limits.hpp"

namespace freshet::net {

struct HttpClients::Entry {
  Entry(
      const asio::any_io_executor& executor,
      const ConnectionSettings& wanted,
      const EgressPolicy& egress)
      : settings(wanted), client(executor, wanted, egress), limited(executor, client) {}

  ConnectionSettings settings;
  CurlHttpClient client;
  LimitedHttpClient limited;
};

HttpClients::HttpClients(asio::any_io_executor executor, EgressPolicy egress)
    : executor_(std::move(executor)), egress_(std::move(egress)) {}

HttpClients::~HttpClients() = default;

HttpClient& HttpClients::client_for(const ConnectionSettings& settings) {
  const std::scoped_lock lock(mutex_);
  for (const auto& entry : entries_) {
    if (entry->settings == settings) {
      return entry->limited;
    }
  }
  return entries_.emplace_back(std::make_unique<Entry>(executor_, settings, egress_))->limited;
}

}  // namespace freshet::net
