// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/testing/fake_engine.hpp"
#include "freshet/engine/testing/run.hpp"

#include <boost/json/parse.hpp>

#include <string>
#include <utility>
#include <vector>

namespace freshet::engine::testing {

/// A client of an engine that answers by a script.
struct ClientSession {
  explicit ClientSession(std::vector<Scripted> script)
      : engine(io.get_executor(), std::move(script)),
        client(io.get_executor(), engine.endpoint()) {}

  /// The JSON body of the last request.
  boost::json::value last_body() const {
    const std::string& message = engine.messages().back();
    return boost::json::parse(message.substr(message.find("\r\n\r\n") + 4));
  }

  asio::io_context io;
  FakeEngine engine;
  DockerClient client;
};

}  // namespace freshet::engine::testing
