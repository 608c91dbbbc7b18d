// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/files.hpp"
#include "freshet/engine/docker/loopback_listener.hpp"
#include "freshet/net/byte_stream.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace freshet::engine {

/// Bytes in a file without a name, which goes with its last owner.
class SpooledBlob {
 public:
  /// Throws unavailable when there is no room for temporary files.
  SpooledBlob();

  void append(std::string_view bytes);
  std::uint64_t size_bytes() const { return size_; }
  /// From the start; several readers do not disturb each other.
  static std::unique_ptr<net::ByteStream> open(std::shared_ptr<const SpooledBlob> blob);

 private:
  UniqueFd file_;
  std::uint64_t size_ = 0;
};

/// A registry on loopback, just as much of one as an engine needs to push layers to it. It keeps
/// them for this process and gives nothing to anybody.
///
/// Other users of the machine can reach it too, but do not know `repository`; whatever comes is to
/// be verified by its digest.
/// Source: OCI Distribution Spec 1.1, "Push".
class ImageInbox {
 public:
  using OnLayer = std::function<Awaitable<void>(std::shared_ptr<const SpooledBlob> blob)>;

  /// `likely_bytes`: an upload that is larger is probably not of what is wanted and waits a little
  /// at that point, so that it does not cost the others the processor; at `max_bytes` it waits
  /// until the inbox goes. Throws unavailable when no port can be had.
  ImageInbox(
      asio::any_io_executor executor,
      std::string repository,
      std::uint64_t likely_bytes,
      std::uint64_t max_bytes);

  /// `127.0.0.1:port/repository`.
  std::string name() const;

  /// Serves until it is cancelled or `on_layer` throws. `on_layer` gets every complete layer.
  Awaitable<void> serve(OnLayer on_layer);

 private:
  class Conversation;

  Awaitable<void> converse(asio::ip::tcp::socket socket);
  std::string path(std::string_view rest) const;

  LoopbackListener listener_;
  const std::string repository_;
  const std::uint64_t likely_bytes_;
  const std::uint64_t max_bytes_;
  OnLayer on_layer_;
  std::map<std::string, std::shared_ptr<SpooledBlob>, std::less<>> uploads_;  // by their path
  std::map<std::string, std::uint64_t, std::less<>> blobs_;  // sizes by digest
};

}  // namespace freshet::engine
