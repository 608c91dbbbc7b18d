// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/http_clients.hpp"

#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/host_limits.hpp"

namespace freshet::net {

struct HttpClients::Entry {
  Entry(const asio::any_io_executor& executor, const ConnectionSettings& wanted)
      : settings(wanted), client(executor, wanted), limited(executor, client) {}

  ConnectionSettings settings;
  CurlHttpClient client;
  LimitedHttpClient limited;
};

HttpClients::HttpClients(asio::any_io_executor executor) : executor_(std::move(executor)) {}

HttpClients::~HttpClients() = default;

HttpClient& HttpClients::client_for(const ConnectionSettings& settings) {
  const std::scoped_lock lock(mutex_);
  for (const auto& entry : entries_) {
    if (entry->settings == settings) {
      return entry->limited;
    }
  }
  return entries_.emplace_back(std::make_unique<Entry>(executor_, settings))->limited;
}

}  // namespace freshet::net
