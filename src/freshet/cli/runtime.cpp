// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/runtime.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace freshet::cli {
namespace {

/// For short blocking work (database, files) and for compressing, which takes every core.
constexpr std::size_t k_min_pool_threads = 2;
constexpr std::size_t k_max_notice = 1000;

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

/// One that is set but empty is an error, not permission for everything.
net::EgressPolicy egress_policy() {
  constexpr const char* k_variable = "FRESHET_EGRESS";
  const char* rules = std::getenv(k_variable);
  return rules == nullptr ? net::EgressPolicy() : net::EgressPolicy(rules, k_variable);
}

}  // namespace

Runtime::Runtime(const GlobalOptions& options) : options_(options), egress_(egress_policy()) {}

Runtime::~Runtime() {
  if (pool_) {
    pool_->join();
  }
}

asio::thread_pool& Runtime::pool() {
  if (!pool_) {
    pool_ = std::make_unique<asio::thread_pool>(
        std::max<std::size_t>(k_min_pool_threads, std::thread::hardware_concurrency()));
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
  return https().client_for(net::ConnectionSettings());
}

net::HttpClients& Runtime::https() {
  if (!https_) {
    https_ = std::make_unique<net::HttpClients>(io_.get_executor(), egress_);
  }
  return *https_;
}

registries::Connections& Runtime::connections() {
  if (!connections_) {
    registries::ConnectionParts parts;
    parts.http_for = [&clients =
                          https()](const net::ConnectionSettings& settings) -> net::HttpClient& {
      return clients.client_for(settings);
    };
    journal_ = std::make_unique<oci::FileUploadJournal>(data().path() / "uploads");
    parts.registry_options.journal = journal_.get();
    parts.registry_options.notice = [this](std::string_view line) {
      if (notice_) {
        notice_(line);
      } else {
        fmt::print(stderr, "{}\n", printable(line, k_max_notice));
      }
    };
    connections_ =
        std::make_unique<registries::Connections>(integrations(), pool(), std::move(parts));
  }
  return *connections_;
}

oci::ImageMover& Runtime::mover() {
  if (!mover_) {
    layer_memory_ = std::make_unique<registries::StoredLayerMemory>(data().layers());
    mover_ = std::make_unique<oci::ImageMover>(pool(), *layer_memory_, data().path() / "locks");
  }
  return *mover_;
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
