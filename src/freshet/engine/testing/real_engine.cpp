// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/testing/real_engine.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace freshet::engine {
namespace {

UniqueFd make_socket(const fs::path& path, bool listening) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const int outcome = listening ? ::bind(fd.get(), generic, sizeof address) | ::listen(fd.get(), 16)
                                : ::connect(fd.get(), generic, sizeof address);
  if (outcome != 0) {
    throw std::runtime_error("cannot use the socket " + path.string());
  }
  return fd;
}

void pump(int from, int to) {
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t length = ::recv(from, buffer.data(), buffer.size(), 0);
    if (length <= 0 ||
        ::send(to, buffer.data(), static_cast<std::size_t>(length), MSG_NOSIGNAL) != length) {
      break;
    }
  }
  ::shutdown(to, SHUT_WR);
}

}  // namespace

ShellOutcome run_shell(const std::string& command) {
  ShellOutcome outcome;
  FILE* pipe = ::popen(("exec 2>&1; " + command).c_str(), "re");
  if (pipe == nullptr) {
    throw std::runtime_error("cannot run a shell");
  }
  std::array<char, 4096> buffer;
  while (const std::size_t length = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    outcome.output.append(buffer.data(), length);
  }
  outcome.exit_code = WEXITSTATUS(::pclose(pipe));
  return outcome;
}

std::optional<Endpoint> find_test_engine() {
  const char* value = std::getenv("FRESHET_TEST_ENGINE");
  if (value == nullptr) {
    return std::nullopt;
  }
  EndpointSources sources;
  sources.option = value;
  sources.environment = [](std::string_view) { return std::optional<std::string>(); };
  return find_endpoint(sources);
}

std::string make_base_image(const Endpoint& engine, const std::string& name) {
  const ShellOutcome outcome = run_shell(fmt::format(
      R"SH(set -e; root=$(mktemp -d); trap 'rm -rf "$root"' EXIT; mkdir "$root/bin" "$root/tmp"
      cp "$(command -v busybox)" "$root/bin/busybox"
      for tool in sh ls cat sleep echo true false test find; do
        ln -s busybox "$root/bin/$tool"
      done
      tar -C "$root" -c . | docker -H {} import - {})SH",
      engine.to_string(),
      name));
  return outcome.exit_code == 0 ? "" : outcome.output;
}

ProgressSink RecordedProgress::sink() {
  return [this](const ProgressUpdate& update) {
    for (const Vertex& vertex : update.vertices) {
      vertices_[vertex.digest] = vertex;
    }
    for (const VertexLog& log : update.logs) {
      logs_ += log.bytes;
    }
  };
}

std::vector<std::string> RecordedProgress::steps(bool cached) const {
  std::vector<std::string> out;
  for (const auto& [digest, vertex] : vertices_) {
    const bool is_step = vertex.name.starts_with('[') && !vertex.name.starts_with("[internal]");
    const bool changes = vertex.name.find("] RUN ") != std::string::npos ||
                         vertex.name.find("] COPY ") != std::string::npos ||
                         vertex.name.find("] ADD ") != std::string::npos;
    if (is_step && changes && vertex.cached == cached) {
      out.push_back(vertex.name);
    }
  }
  return out;
}

CuttableProxy::CuttableProxy(const Endpoint& engine) : target_(engine.socket_path) {
  std::string name = (fs::temp_directory_path() / "freshet-proxy-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make a temporary directory");
  }
  directory_ = name;
  listener_ = make_socket(directory_ / "s", true);
  acceptor_ = std::thread([this] { accept_all(); });
}

CuttableProxy::~CuttableProxy() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  cut();
  for (std::thread& thread : pumps_) {
    thread.join();
  }
  for (const int socket : sockets_) {
    ::close(socket);
  }
  fs::remove_all(directory_);
}

Endpoint CuttableProxy::endpoint() const {
  Endpoint out;
  out.socket_path = directory_ / "s";
  return out;
}

void CuttableProxy::cut() {
  const std::lock_guard lock(mutex_);
  for (const int socket : sockets_) {
    ::shutdown(socket, SHUT_RDWR);
  }
}

void CuttableProxy::accept_all() {
  for (;;) {
    const int client = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {
      return;
    }
    const int engine = make_socket(target_, false).release();
    const std::lock_guard lock(mutex_);
    sockets_.insert(sockets_.end(), {client, engine});
    pumps_.emplace_back(pump, client, engine);
    pumps_.emplace_back(pump, engine, client);
  }
}

namespace {

constexpr const char* k_registry_config = R"(version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {0}/data}}}}
http: {{addr: "127.0.0.1:{1}"}}
auth: {{htpasswd: {{realm: test, path: {0}/passwords}}}}
)";

/// A port that was free a moment ago.
int find_free_port() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  socklen_t length = sizeof address;
  ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ::ntohs(address.sin_port);
}

}  // namespace

std::unique_ptr<PrivateRegistry> PrivateRegistry::try_start(
    const std::string& user, const std::string& password) {
  if (run_shell("command -v docker-registry && command -v htpasswd").exit_code != 0) {
    return nullptr;
  }
  std::unique_ptr<PrivateRegistry> registry(new PrivateRegistry());
  std::string name = (fs::temp_directory_path() / "freshet-registry-XXXXXX").string();
  registry->directory_ = ::mkdtemp(name.data());
  const int port = find_free_port();
  registry->host_ = fmt::format("127.0.0.1:{}", port);
  registry->login_ = fmt::format("-u {} -p {} {}", user, password, registry->host_);
  const std::string config = registry->directory_ / "config.yml";
  run_shell(fmt::format(
      "htpasswd -Bbc {}/passwords {} {}", registry->directory_.string(), user, password));
  std::ofstream(config) << fmt::format(k_registry_config, registry->directory_.string(), port);
  registry->process_ = ::fork();
  if (registry->process_ == 0) {
    const int silence = ::open("/dev/null", O_WRONLY);
    ::dup2(silence, STDOUT_FILENO);
    ::dup2(silence, STDERR_FILENO);
    ::execlp("docker-registry", "docker-registry", "serve", config.c_str(), nullptr);
    ::_exit(127);
  }
  run_shell(fmt::format(
      "for i in $(seq 100); do curl -s -o /dev/null http://{}/v2/ && exit; sleep 0.1; done; exit 1",
      registry->host_));
  return registry;
}

PrivateRegistry::~PrivateRegistry() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

std::string PrivateRegistry::push(
    const Endpoint& engine, const std::string& image, const std::string& name) const {
  const ShellOutcome outcome = run_shell(fmt::format(
      "set -e; export DOCKER_CONFIG={0}/login DOCKER_HOST={1}; docker login {2}; docker tag {3} "
      "{4}; "
      "docker push {4}; docker rmi {4}",
      directory_.string(),
      engine.to_string(),
      login_,
      image,
      name));
  return outcome.exit_code == 0 ? "" : outcome.output;
}

}  // namespace freshet::engine
