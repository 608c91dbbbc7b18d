// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/client.hpp"

#include "freshet/engine/docker/client_impl.hpp"
#include "freshet/engine/docker/errors.hpp"
#include "freshet/engine/docker/json_access.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace freshet::engine {
namespace {

constexpr std::string_view k_containerd_driver = "io.containerd.snapshotter.v1";

}  // namespace

EngineRequest make_request(
    std::string method, std::string path, std::string action, std::string subject) {
  EngineRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.action = std::move(action);
  request.subject = std::move(subject);
  return request;
}

Awaitable<json::value> DockerClient::Impl::call_json(Ctx ctx, EngineRequest request) {
  const std::string action = request.action;
  const EngineAnswer answer = co_await transport.call(ctx, std::move(request));
  json::error_code code;
  json::value value = json::parse(answer.body, code);
  if (code) {
    throw malformed_answer(transport.endpoint(), action);
  }
  co_return value;
}

Awaitable<json::value> DockerClient::Impl::list(
    Ctx ctx, std::string path, std::string plural, std::string label) {
  json::array labels;
  labels.emplace_back(label);
  json::object filters;
  filters["label"] = std::move(labels);
  // `all` matters to containers only: without it the stopped ones are left out.
  const Query query{
      {"all", path == "/containers/json" ? "1" : ""}, {"filters", json::serialize(filters)}};
  EngineRequest request = make_request("GET", with_query(path, query), "list " + plural, "");
  co_return co_await call_json(ctx, std::move(request));
}

Awaitable<void> DockerClient::Impl::remove(Ctx ctx, std::string path, std::string subject) {
  EngineRequest request = make_request("DELETE", std::move(path), "remove " + subject, subject);
  request.accepted.push_back(404);
  co_await transport.call(ctx, std::move(request));
}

DockerClient::DockerClient(asio::any_io_executor executor, Endpoint endpoint)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(endpoint))) {}

DockerClient::~DockerClient() = default;

const Endpoint& DockerClient::endpoint() const {
  return impl_->transport.endpoint();
}

void DockerClient::close_idle_connections() {
  impl_->transport.close_idle();
}

Awaitable<EngineVersion> DockerClient::negotiate(Ctx ctx) {
  const EngineGreeting greeting = co_await impl_->transport.greet(ctx);
  EngineRequest request = make_request("GET", "/version", "tell its version", "");
  request.is_versioned = false;  // so that an engine which is too new for us still tells
  const json::value answer = co_await impl_->call_json(ctx, std::move(request));
  const json::object& version = as_object(answer);
  EngineVersion result;
  result.version = text_at(version, "Version");
  result.min_api_version = text_at(version, "MinAPIVersion");
  result.os = text_at(version, "Os");
  result.architecture = text_at(version, "Arch");
  result.builder_version = greeting.builder_version;
  result.api_version = std::min(greeting.newest, k_max_api_version).to_string();
  const std::optional<ApiVersion> minimum = ApiVersion::parse(result.min_api_version);
  if (minimum && *minimum > k_max_api_version) {
    throw engine_too_new(endpoint(), result.min_api_version);
  }
  co_return result;
}

Awaitable<EngineInfo> DockerClient::info(Ctx ctx) {
  EngineRequest request = make_request("GET", "/info", "describe itself", "");
  const json::value answer = co_await impl_->call_json(ctx, std::move(request));
  const json::object& info = as_object(answer);
  EngineInfo result;
  result.name = text_at(info, "Name");
  result.id = text_at(info, "ID");
  result.storage_driver = text_at(info, "Driver");
  result.root_directory = text_at(info, "DockerRootDir");
  result.operating_system = text_at(info, "OperatingSystem");
  result.memory_bytes = number_at(info, "MemTotal");
  result.warnings = texts_at(info, "Warnings");
  // Pairs of a name and a value; `driver-type` is the name here.
  result.has_containerd_store =
      std::ranges::any_of(array_at(info, "DriverStatus"), [](const json::value& pair) {
        const json::array& words = as_array(pair);
        return words.size() == 2 && words[1].is_string() &&
               words[1].get_string() == k_containerd_driver;
      });
  const std::vector<std::string> security = texts_at(info, "SecurityOptions");
  result.is_rootless =
      std::find(security.begin(), security.end(), "name=rootless") != security.end();
  co_return result;
}

Awaitable<std::optional<UniqueFd>> DockerClient::upgrade_to_h2c(Ctx ctx, std::string path) {
  EngineRequest request = make_request("POST", path, "upgrade a connection to " + path, "");
  request.is_versioned = false;  // never trips over a minimum version
  request.upgrade = "h2c";
  std::unique_ptr<Connection> connection =
      co_await impl_->transport.hijack_exactly(ctx, std::move(request));
  if (!connection) {
    co_return std::nullopt;
  }
  co_return impl_->transport.release(std::move(connection));
}

Awaitable<UniqueFd> DockerClient::connect_raw(Ctx ctx) {
  std::unique_ptr<Connection> connection = co_await impl_->transport.connect_new(ctx);
  co_return impl_->transport.release(std::move(connection));
}

}  // namespace freshet::engine
