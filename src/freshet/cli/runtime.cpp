// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/runtime.hpp"

#include "freshet/net/curl_http_client.hpp"

#include <cstdlib>

namespace freshet::cli {
namespace {

constexpr std::size_t k_pool_threads = 2;  // for short blocking work: database, files

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

Runtime::~Runtime() {
  if (pool_) {
    pool_->join();
  }
}

asio::thread_pool& Runtime::pool() {
  if (!pool_) {
    pool_ = std::make_unique<asio::thread_pool>(k_pool_threads);
  }
  return *pool_;
}

store::DataDirectory& Runtime::data() {
  if (!data_) {
    data_ = store::DataDirectory::open(data_directory());
  }
  return *data_;
}

registries::Integrations& Runtime::integrations() {
  if (!integrations_) {
    integrations_ = std::make_unique<registries::Integrations>(data().registries());
  }
  return *integrations_;
}

net::HttpClient& Runtime::http() {
  if (!http_) {
    http_ = std::make_unique<net::CurlHttpClient>(io_.get_executor());
  }
  return *http_;
}

engine::DockerClient& Runtime::engine() {
  if (!engine_) {
    engine_ = std::make_unique<engine::DockerClient>(io_.get_executor(), endpoint());
  }
  return *engine_;
}

fs::path Runtime::data_directory() const {
  if (!options_.data_directory.empty()) {
    return fs::absolute(options_.data_directory);
  }
  if (const auto chosen = environment("FRESHET_DATA_DIR")) {
    return fs::absolute(*chosen);
  }
  if (const auto base = environment("XDG_DATA_HOME"); base && base->starts_with('/')) {
    return fs::path(*base) / "freshet";
  }
  const auto home = environment("HOME");
  if (!home) {
    throw Error(
        ErrorCode::invalid_input, "no place to keep data: neither HOME nor XDG_DATA_HOME is set")
        .with_hint("name one with --data-dir");
  }
  return fs::path(*home) / ".local" / "share" / "freshet";
}

engine::Endpoint Runtime::endpoint() const {
  engine::EndpointSources sources;
  if (!options_.engine.empty()) {
    sources.option = options_.engine;
  }
  sources.environment = environment;
  return engine::find_endpoint(sources);
}

}  // namespace freshet::cli
