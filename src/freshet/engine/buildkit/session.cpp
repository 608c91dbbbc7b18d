// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/session.hpp"

#include "freshet/base/text.hpp"

#include <sodium/crypto_generichash.h>

namespace freshet::engine {
namespace {

/// The key goes into a header, where paths and names of pipelines may not fit.
std::string header_safe(std::string_view key) {
  std::string digest(crypto_generichash_BYTES_MIN, '\0');
  crypto_generichash(
      reinterpret_cast<unsigned char*>(digest.data()),
      digest.size(),
      reinterpret_cast<const unsigned char*>(key.data()),
      key.size(),
      nullptr,
      0);
  return "freshet-" + to_hex(digest);
}

Tunnel::Identity make_identity(std::string id, std::string_view source_key) {
  Tunnel::Identity identity;
  identity.id = std::move(id);
  identity.shared_key = header_safe(source_key);
  identity.methods = {
      "/moby.filesync.v1.FileSync/DiffCopy",
      "/moby.filesync.v1.Auth/Credentials",
      "/grpc.health.v1.Health/Check",
  };
  return identity;
}

}  // namespace

Session::Session(
    moby::buildkit::v1::Control::StubInterface& control,
    SessionContent content,
    std::string id,
    const std::string& source_key,
    std::function<void()> on_lost)
    : id_(std::move(id)),
      server_(std::move(content)),
      tunnel_(control, make_identity(id_, source_key), std::move(on_lost)) {
  server_.serve(tunnel_.take_inner_end());
}

}  // namespace freshet::engine
