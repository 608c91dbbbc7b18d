// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/container_output.hpp"

#include "freshet/base/text.hpp"
#include "freshet/engine/docker/errors.hpp"

namespace freshet::engine {

Awaitable<void> AttachedOutput::read_all(Ctx ctx, Demultiplexer::Sink on_bytes) {
  co_await with_deadline(
      ctx, "waiting for the end of the container's output", read_until_end(std::move(on_bytes)));
}

Awaitable<void> AttachedOutput::read_until_end(Demultiplexer::Sink on_bytes) {
  Demultiplexer demultiplexer(std::move(on_bytes));
  std::string& unread = connection_->unread();
  bool is_open = true;
  while (is_open) {
    demultiplexer.feed(unread);  // at first: what came with the head of the answer
    unread.clear();
    try {
      is_open = co_await connection_->fill();
    } catch (const boost::system::system_error& failure) {
      if (failure.code() == asio::error::operation_aborted) {
        throw;
      }
      throw went_away(failure.code());
    }
  }
  if (!demultiplexer.is_between_frames()) {
    throw went_away({});
  }
}

}  // namespace freshet::engine
