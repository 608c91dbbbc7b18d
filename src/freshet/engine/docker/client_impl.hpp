// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/docker/transport.hpp"

#include <boost/json/value.hpp>

namespace freshet::engine {

/// What the sources of `DockerClient` share: one file per kind of object.
class DockerClient::Impl {
 public:
  Impl(asio::any_io_executor executor, Endpoint endpoint)
      : transport(std::move(executor), std::move(endpoint)) {}

  /// Asks for a JSON answer. Throws corrupt_data when it is none.
  Awaitable<boost::json::value> call_json(Ctx ctx, EngineRequest request);
  /// `GET path?filters={"label":[label]}`
  Awaitable<boost::json::value> list(
      Ctx ctx, std::string path, std::string plural, std::string label);
  /// `DELETE path`; 404 is success.
  Awaitable<void> remove(Ctx ctx, std::string path, std::string subject);

  Transport transport;
};

/// A request with what its errors say, for the common case.
EngineRequest make_request(
    std::string method, std::string path, std::string action, std::string subject);

}  // namespace freshet::engine
