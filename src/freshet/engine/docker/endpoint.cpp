// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/endpoint.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/docker/context_store.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>

namespace freshet::engine {
namespace {

constexpr std::string_view k_default_socket = "unix:///var/run/docker.sock";
constexpr std::string_view k_plain_port = "2375";
constexpr std::string_view k_tls_port = "2376";
constexpr std::string_view k_context_prefix = "context:";

Error malformed(std::string_view origin, std::string_view address) {
  return Error(
             ErrorCode::invalid_input,
             fmt::format("{} is not the address of a Docker engine: '{}'", origin, address))
      .with_hint("use unix:///path/of/docker.sock or tcp://host:port");
}

bool is_port(std::string_view text) {
  const bool is_number =
      !text.empty() && text.size() <= 5 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number && std::stoi(std::string(text)) >= 1 && std::stoi(std::string(text)) <= 65535;
}

bool is_host(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\r\n@?#%\\/") == std::string_view::npos;
}

Endpoint unix_endpoint(std::string_view origin, std::string_view path) {
  if (path.empty()) {
    throw malformed(origin, "unix://");
  }
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::unix_socket;
  endpoint.socket_path = fs::absolute(path);
  constexpr std::size_t k_max_path = sizeof(sockaddr_un::sun_path) - 1;
  const std::size_t length = endpoint.socket_path.native().size();
  if (length > k_max_path) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "the path of the Docker socket is {} characters, the limit is {}: '{}'",
            length,
            k_max_path,
            endpoint.socket_path.string()))
        .with_hint(
            "put the socket, or a symbolic link to it, into a directory with a shorter path");
  }
  return endpoint;
}

/// `authority` is `host`, `host:port` or `[v6]:port`, perhaps with a slash behind it.
Endpoint tcp_endpoint(
    std::string_view origin, std::string_view address, std::string_view authority, bool tls) {
  if (authority.ends_with('/')) {
    authority.remove_suffix(1);
  }
  std::string_view host = authority;
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) {
      throw malformed(origin, address);
    }
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (!port.empty()) {
    if (port.front() != ':' || !is_port(port.substr(1))) {
      throw malformed(origin, address);
    }
    port.remove_prefix(1);
  }
  if (!is_host(host)) {
    throw malformed(origin, address);
  }
  Endpoint endpoint;
  endpoint.kind = tls ? Endpoint::Kind::tls : Endpoint::Kind::tcp;
  endpoint.host = host;
  endpoint.port = !port.empty() ? port : tls ? k_tls_port : k_plain_port;
  return endpoint;
}

/// `origin` says in a message where the address was found. `tls`: what `tcp://` means here.
Endpoint parse_address(std::string_view origin, std::string_view address, bool tls) {
  const std::size_t separator = address.find("://");
  if (separator == std::string_view::npos) {
    if (address.find('/') != std::string_view::npos) {
      return unix_endpoint(origin, address);
    }
    if (address.find(':') != std::string_view::npos) {
      return tcp_endpoint(origin, address, address, tls);
    }
    throw malformed(origin, address);
  }
  const std::string scheme = to_lower(address.substr(0, separator));
  const std::string_view rest = address.substr(separator + 3);
  if (scheme == "unix") {
    return unix_endpoint(origin, rest);
  }
  if (scheme == "tcp" || scheme == "http" || scheme == "https") {
    return tcp_endpoint(origin, address, rest, tls || scheme == "https");
  }
  if (scheme == "ssh" || scheme == "npipe" || scheme == "fd") {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("{} names an engine by '{}://', which is not supported", origin, scheme))
        .with_hint(
            scheme == "ssh"
                ? "forward the socket: 'ssh -L /tmp/docker.sock:/var/run/docker.sock HOST', "
                  "then use unix:///tmp/docker.sock"
                : "use unix:///path/of/docker.sock or tcp://host:port");
  }
  throw malformed(origin, address);
}

class Finder {
 public:
  explicit Finder(const EndpointSources& sources) : sources_(sources) {}

  Endpoint find() const {
    if (sources_.option) {
      const std::string& option = *sources_.option;
      return option.starts_with(k_context_prefix)
                 ? from_context(option.substr(k_context_prefix.size()))
                 : from_address("--engine", option);
    }
    if (const auto host = variable("DOCKER_HOST")) {
      return from_address("DOCKER_HOST", *host);
    }
    if (const auto name = variable("DOCKER_CONTEXT")) {
      return from_context(*name);
    }
    if (const auto directory = settings_directory()) {
      if (const auto name = ContextStore(*directory).find_current()) {
        return from_context(*name);
      }
    }
    return from_address("the default", k_default_socket);
  }

 private:
  /// An empty variable counts as unset, as it does for the docker command.
  std::optional<std::string> variable(std::string_view name) const {
    std::optional<std::string> value =
        sources_.environment ? sources_.environment(name) : std::nullopt;
    return value && value->empty() ? std::nullopt : value;
  }

  std::optional<fs::path> settings_directory() const {
    if (const auto directory = variable("DOCKER_CONFIG")) {
      return fs::path(*directory);
    }
    const auto home = variable("HOME");
    return home ? std::optional(fs::path(*home) / ".docker") : std::nullopt;
  }

  Endpoint from_address(std::string_view origin, std::string_view address) const {
    Endpoint endpoint = parse_address(origin, address, variable("DOCKER_TLS_VERIFY").has_value());
    if (endpoint.kind == Endpoint::Kind::tls) {
      const auto named = variable("DOCKER_CERT_PATH");
      const std::optional<fs::path> directory = named ? fs::path(*named) : settings_directory();
      if (directory) {
        endpoint.ca_file = existing_file(*directory, "ca.pem");
        endpoint.certificate_file = existing_file(*directory, "cert.pem");
        endpoint.key_file = existing_file(*directory, "key.pem");
      }
    }
    return endpoint;
  }

  Endpoint from_context(const std::string& name) const {
    if (name == "default") {  // means: as without contexts
      const auto host = variable("DOCKER_HOST");
      return host ? from_address("DOCKER_HOST", *host)
                  : from_address("the default", k_default_socket);
    }
    const std::optional<fs::path> directory = settings_directory();
    if (!directory) {
      throw Error(
          ErrorCode::invalid_input,
          fmt::format("the docker context '{}' cannot be looked up: HOME is not set", name));
    }
    const StoredContext context = ContextStore(*directory).get(name);
    Endpoint endpoint = parse_address(
        fmt::format("the host of the docker context '{}'", name), context.host, context.uses_tls());
    if (endpoint.kind == Endpoint::Kind::tls) {
      endpoint.ca_file = context.ca_file;
      endpoint.certificate_file = context.certificate_file;
      endpoint.key_file = context.key_file;
      endpoint.skip_verify = context.skip_verify;
    }
    return endpoint;
  }

  const EndpointSources& sources_;
};

}  // namespace

std::string Endpoint::to_string() const {
  if (kind == Kind::unix_socket) {
    return "unix://" + socket_path.string();
  }
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("tcp://[{}]:{}", host, port) : fmt::format("tcp://{}:{}", host, port);
}

bool Endpoint::shares_files() const {
  if (kind == Kind::unix_socket || to_lower(host) == "localhost") {
    return true;
  }
  boost::system::error_code code;
  const auto address = boost::asio::ip::make_address(host, code);
  return !code && address.is_loopback();
}

Endpoint find_endpoint(const EndpointSources& sources) {
  return Finder(sources).find();
}

}  // namespace freshet::engine
