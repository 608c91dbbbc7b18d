// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/engine/docker/loopback_listener.hpp"
#include "freshet/net/byte_stream.hpp"
#include "freshet/oci/descriptor.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace freshet::engine {

/// An image of which an engine may take what it wants.
struct OfferedImage {
  oci::Manifest manifest;
  std::string config;  // its configuration, byte for byte
  std::vector<oci::Descriptor> layers;
  /// Gets a layer, from wherever it is. The stream has to verify what it gives.
  std::function<Awaitable<std::unique_ptr<net::ByteStream>>(oci::Descriptor layer)> open;
};

/// A layer that an engine asked for could not be had.
class OfferBroken : public Error {
 public:
  OfferBroken(Error error, std::size_t image) : Error(std::move(error)), image_(image) {}

  std::size_t image() const { return image_; }

 private:
  std::size_t image_;
};

/// A registry on loopback, just as much of one as an engine needs to pull images from it by digest.
/// Manifests and configurations are there at once; layers are passed on as they come.
///
/// So the engine needs neither login, authority nor proxy for where they come from. And what does
/// not come does not hold it up: engines wait long for a registry that is silent, and one of
/// BuildKit before 0.9 builds nothing any more once an import waits.
/// Source: OCI Distribution Spec 1.1, "Pull".
class ImageOutlet {
 public:
  /// `patience`: how long an image may keep the engine waiting for its next bytes. `idle_limit`:
  /// how long a connection may be silent, since anybody on this machine can make some, and there
  /// are few. Throws unavailable when no port can be had.
  ImageOutlet(
      asio::any_io_executor executor,
      std::vector<OfferedImage> images,
      Ctx::Clock::duration patience,
      Ctx::Clock::duration idle_limit = std::chrono::seconds(10));

  /// `127.0.0.1:port/repository@sha256:…`
  std::string reference(std::size_t image) const;
  /// Whether anybody asked anything yet.
  bool was_asked() const { return was_asked_; }

  /// Serves until it is cancelled, one call at a time. Throws OfferBroken.
  Awaitable<void> serve();

 private:
  class Conversation;

  Awaitable<void> converse(asio::ip::tcp::socket socket);
  std::string repository(std::size_t image) const;

  LoopbackListener listener_;
  const std::vector<OfferedImage> images_;
  const Ctx::Clock::duration patience_;
  const Ctx::Clock::duration idle_limit_;
  const std::string secret_;  // in the names of repositories
  bool was_asked_ = false;
};

}  // namespace freshet::engine
