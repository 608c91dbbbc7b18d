// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/connection.hpp"
#include "freshet/engine/docker/demultiplexer.hpp"

#include <memory>

namespace freshet::engine {

/// The output of a container over a hijacked connection.
class AttachedOutput final : public ContainerOutput {
 public:
  explicit AttachedOutput(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  Awaitable<void> read_all(Ctx ctx, Demultiplexer::Sink on_bytes) override;

 private:
  Awaitable<void> read_until_end(Demultiplexer::Sink on_bytes);

  std::unique_ptr<Connection> connection_;
};

}  // namespace freshet::engine
