// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

extern char** environ;

namespace freshet::oci::testing {

/// Debian's docker-registry on loopback, plain http, on a port that the system chose, with an
/// htpasswd file and a directory of its own. Ended and removed with the object.
class RealRegistry {
 public:
  static constexpr const char* k_program = "/usr/bin/docker-registry";
  static constexpr const char* k_user = "robot";
  static constexpr const char* k_password = "correct horse";

  static bool is_installed() { return ::access(k_program, X_OK) == 0; }

  /// Whom it lets in by tokens instead of a password.
  struct TokenAuth {
    std::string realm;
    std::string service;
    std::string issuer;
    std::string root_certificate;  // PEM
  };

  RealRegistry() : RealRegistry(std::nullopt) {}
  explicit RealRegistry(std::optional<TokenAuth> tokens) : tokens_(std::move(tokens)) {
    std::string pattern = (fs::temp_directory_path() / "freshet-registry-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    write_files();
    start();
    authority_ = read_authority();
    reader_ = std::thread([fd = output_.get()] { read_to_end(fd); });
  }
  ~RealRegistry() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    reader_.join();
    remove_tree(directory_);
  }
  RealRegistry(const RealRegistry&) = delete;
  RealRegistry& operator=(const RealRegistry&) = delete;

  /// `127.0.0.1:port`; empty when it did not start.
  const std::string& authority() const { return authority_; }

 private:
  void write_files() const {
    // bcrypt of `k_password`
    std::ofstream(directory_ / "htpasswd")
        << k_user << ":$2y$05$3V3KxJRetZK25329XC1bxey8syG0J3TKnmajSHXTTIhuTKofodqwe\n";
    std::ofstream(directory_ / "config.yml") << fmt::format(
        "version: 0.1\n"
        "log: {{level: info, accesslog: {{disabled: true}}}}\n"
        "storage:\n"
        "  filesystem: {{rootdirectory: {0}/data}}\n"
        "  delete: {{enabled: true}}\n"
        "auth: {1}\n"
        "http: {{addr: '127.0.0.1:0', secret: test}}\n",
        directory_.string(),
        authentication());
  }

  std::string authentication() const {
    if (!tokens_) {
      return fmt::format("{{htpasswd: {{realm: test, path: {}/htpasswd}}}}", directory_.string());
    }
    const fs::path root = directory_ / "root.pem";
    std::ofstream(root) << tokens_->root_certificate;
    return fmt::format(
        "{{token: {{realm: '{}', service: '{}', issuer: '{}', rootcertbundle: {}}}}}",
        tokens_->realm,
        tokens_->service,
        tokens_->issuer,
        root.string());
  }

  void start() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return;
    }
    output_ = UniqueFd(ends[0]);
    const UniqueFd writing(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, writing.get(), STDERR_FILENO);
    std::string program = k_program;
    std::string verb = "serve";
    std::string config = (directory_ / "config.yml").string();
    char* arguments[] = {program.data(), verb.data(), config.data(), nullptr};
    ::posix_spawn(&process_, k_program, &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
  }

  /// It logs where it listens once it does; nothing else tells when it is ready.
  std::string read_authority() const {
    constexpr std::string_view k_mark = "listening on ";
    std::string text;
    char buffer[4096];
    for (ssize_t count = 0; (count = ::read(output_.get(), buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(count));
      const std::size_t mark = text.find(k_mark);
      const std::size_t end = text.find_first_of("\" \n", mark + k_mark.size());
      if (mark != std::string::npos && end != std::string::npos) {
        return text.substr(mark + k_mark.size(), end - mark - k_mark.size());
      }
    }
    return {};
  }

  /// It stops answering when nobody reads what it logs.
  static void read_to_end(int fd) {
    char buffer[4096];
    while (::read(fd, buffer, sizeof buffer) > 0) {
    }
  }

  std::optional<TokenAuth> tokens_;
  fs::path directory_;
  UniqueFd output_;
  pid_t process_ = -1;
  std::thread reader_;
  std::string authority_;
};

}  // namespace freshet::oci::testing
