// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/files.hpp"
#include "freshet/engine/docker/client.hpp"
#include "freshet/net/http.hpp"
#include "freshet/net/http_clients.hpp"
#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/oci/distribution/upload_journal.hpp"
#include "freshet/registries/connections.hpp"
#include "freshet/registries/integrations.hpp"
#include "freshet/registries/layer_memory.hpp"
#include "freshet/store/stores.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::cli {

/// Options that every command understands.
struct GlobalOptions {
  std::string
      data_directory;  // empty: FRESHET_DATA_DIR, else `freshet` below the user's data folder
  std::string engine;  // empty: as the docker command finds it
};

/// Makes the objects that commands work with, each when it is first asked for, so that a command
/// pays for what it uses only.
class Runtime {
 public:
  /// Throws invalid_input when the egress policy of the environment cannot be read.
  explicit Runtime(const GlobalOptions& options);
  ~Runtime();

  asio::io_context& io() { return io_; }
  asio::thread_pool& pool();
  store::DataDirectory& data();
  registries::Integrations& integrations();
  /// Clients and logins for all registries.
  registries::Connections& connections();
  oci::ImageMover& mover();
  net::HttpClient& http();
  engine::DockerClient& engine();

  fs::path data_directory() const;
  engine::Endpoint endpoint() const;

  /// Where it is told why something takes long (a registry that demands a rest); else stderr.
  void set_notice(std::function<void(std::string_view line)> notice) {
    notice_ = std::move(notice);
  }

  /// Runs a coroutine on the I/O thread until it ends and returns its result.
  template <class T>
  T wait(Awaitable<T> work) {
    std::future<T> result = asio::co_spawn(io_, std::move(work), asio::use_future);
    io_.restart();
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      io_.run_one();
    }
    if (engine_) {
      engine_->close_idle_connections();
    }
    io_.run();
    return result.get();
  }

 private:
  net::HttpClients& https();

  GlobalOptions options_;
  net::EgressPolicy egress_;
  std::function<void(std::string_view line)> notice_;
  asio::io_context io_;
  std::unique_ptr<asio::thread_pool> pool_;
  std::unique_ptr<store::DataDirectory> data_;
  std::unique_ptr<registries::Integrations> integrations_;
  std::unique_ptr<net::HttpClients> https_;
  std::unique_ptr<oci::UploadJournal> journal_;
  std::unique_ptr<registries::Connections> connections_;
  std::unique_ptr<registries::StoredLayerMemory> layer_memory_;
  std::unique_ptr<oci::ImageMover> mover_;
  std::unique_ptr<engine::DockerClient> engine_;
};

}  // namespace freshet::cli
