// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/tunnel.hpp"

#include "freshet/base/error.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace freshet::engine {
namespace {

/// Daemons of the 20.10 line refuse messages of 4 MiB.
constexpr std::size_t k_slice_bytes = 128 * 1024;

/// How long the other side may take to end its half before the call is cancelled.
constexpr auto k_close_grace = std::chrono::milliseconds(500);

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t length = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (length < 0 && errno != EINTR) {
      return false;
    }
    bytes.remove_prefix(length < 0 ? 0 : static_cast<std::size_t>(length));
  }
  return true;
}

}  // namespace

Tunnel::Tunnel(
    moby::buildkit::v1::Control::StubInterface& control,
    const Identity& identity,
    std::function<void()> on_lost)
    : on_lost_(std::move(on_lost)) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error(
        ErrorCode::unavailable, fmt::format("cannot make a socket: {}", std::strerror(errno)));
  }
  inner_ = UniqueFd(ends[0]);
  outer_ = UniqueFd(ends[1]);
  context_.AddMetadata("x-docker-expose-session-uuid", identity.id);
  context_.AddMetadata("x-docker-expose-session-sharedkey", identity.shared_key);
  for (const std::string& method : identity.methods) {
    context_.AddMetadata("x-docker-expose-session-grpc-method", method);
  }
  stream_ = control.Session(&context_);
  up_ = OwnedThread([this] { pump_up(); });
  down_ = OwnedThread([this] { pump_down(); });
}

Tunnel::~Tunnel() {
  is_closing_ = true;
  ::shutdown(outer_.get(), SHUT_RDWR);
  if (!up_.has_ended_within(k_close_grace) || !down_.has_ended_within(k_close_grace)) {
    context_.TryCancel();
  }
  up_.join();
  down_.join();
  stream_->Finish();
}

void Tunnel::pump_up() {
  Message message;
  std::string buffer(k_slice_bytes, '\0');
  for (;;) {
    const ssize_t length = ::read(outer_.get(), buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) {
      continue;
    }
    if (length <= 0) {
      stream_->WritesDone();
      return;
    }
    message.set_data(buffer.data(), static_cast<std::size_t>(length));
    if (!stream_->Write(message)) {
      return;  // the other pump notices, too
    }
  }
}

void Tunnel::pump_down() {
  Message message;
  bool has_ended = false;
  do {
    has_ended = !stream_->Read(&message);
  } while (!has_ended && send_all(outer_.get(), message.data()));
  ::shutdown(outer_.get(), SHUT_RDWR);
  if (!is_closing_) {
    on_lost_();
  }
  while (!has_ended && stream_->Read(&message)) {
    // What was still on its way has to be read before the call can end.
  }
}

}  // namespace freshet::engine
