// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/builder.hpp"

#include <sys/types.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace freshet::engine {

/// What a command printed (both streams) and how it ended.
struct ShellOutcome {
  int exit_code = 0;
  std::string output;
};

ShellOutcome run_shell(const std::string& command);

/// The engine that FRESHET_TEST_ENGINE names, as `unix://…`; nullopt: not set.
std::optional<Endpoint> find_test_engine();

/// Makes an image with a static busybox in it, to have something that RUN can run without a
/// registry. Returns what went wrong, empty when nothing did.
std::string make_base_image(const Endpoint& engine, const std::string& name);

/// All progress of one build, as last reported.
class RecordedProgress {
 public:
  ProgressSink sink();

  /// Names of the RUN, COPY and ADD steps with that state.
  std::vector<std::string> steps(bool cached) const;
  std::string logs() const { return logs_; }

 private:
  std::map<std::string, Vertex> vertices_;
  std::string logs_;
};

/// Stands between a client and an engine's unix socket and can cut every connection, as the death
/// of the engine would.
class CuttableProxy {
 public:
  explicit CuttableProxy(const Endpoint& engine);
  ~CuttableProxy();

  Endpoint endpoint() const;
  void cut();

 private:
  void accept_all();

  fs::path directory_;
  fs::path target_;
  UniqueFd listener_;
  std::mutex mutex_;
  std::vector<int> sockets_;
  std::vector<std::thread> pumps_;
  std::thread acceptor_;
};

/// A registry of its own on loopback that wants a password.
class PrivateRegistry {
 public:
  /// nullptr when the programs for it are missing.
  static std::unique_ptr<PrivateRegistry> try_start(
      const std::string& user, const std::string& password);
  ~PrivateRegistry();

  const std::string& host() const { return host_; }
  /// Pushes an image of the engine under another name, which the engine then forgets. Returns what
  /// went wrong, empty when nothing did.
  std::string push(const Endpoint& engine, const std::string& image, const std::string& name) const;

 private:
  PrivateRegistry() = default;

  fs::path directory_;
  std::string host_;
  std::string login_;  // arguments of `docker login`
  pid_t process_ = -1;
};

}  // namespace freshet::engine
