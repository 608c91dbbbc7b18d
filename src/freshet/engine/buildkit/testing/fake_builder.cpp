// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/testing/fake_builder.hpp"

#include "freshet/engine/buildkit/control_channel.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

namespace freshet::engine {

FakeBuilder::Transfer::Transfer(
    moby::filesync::v1::FileSync::Stub& stub, const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    context_.AddMetadata(key, value);
  }
  stream_ = stub.DiffCopy(&context_);
}

std::string FakeBuilder::Transfer::next() {
  Packet packet;
  if (!stream_->Read(&packet)) {
    return "end";
  }
  switch (packet.type()) {
    case Packet::STAT:
      return packet.has_stat() ? "STAT " + packet.stat().path() : "STAT";
    case Packet::DATA:
      return fmt::format(
          "DATA {}{}{}", packet.id(), packet.data().empty() ? "" : " ", packet.data());
    case Packet::FIN:
      return "FIN";
    case Packet::ERR:
      return "ERR " + packet.data();
    default:
      return fmt::format("packet of type {}", static_cast<int>(packet.type()));
  }
}

std::vector<std::string> FakeBuilder::Transfer::listing() {
  std::vector<std::string> paths;
  for (std::string packet = next(); packet != "STAT"; packet = next()) {
    if (!packet.starts_with("STAT ")) {
      ADD_FAILURE() << packet << " inside of the listing";
      break;
    }
    paths.push_back(packet.substr(5));
  }
  return paths;
}

std::string FakeBuilder::Transfer::data(std::uint32_t id) {
  std::string out;
  Packet packet;
  while (stream_->Read(&packet)) {
    if (packet.type() != Packet::DATA || packet.id() != id) {
      ADD_FAILURE() << "unexpected packet " << packet.type() << " for " << packet.id();
      break;
    }
    if (packet.data().empty()) {
      break;
    }
    out += packet.data();
  }
  return out;
}

void FakeBuilder::Transfer::request(std::uint32_t id) {
  Packet packet;
  packet.set_type(Packet::REQ);
  packet.set_id(id);
  write(packet);
}

void FakeBuilder::Transfer::finish_files() {
  Packet packet;
  packet.set_type(Packet::FIN);
  write(packet);
}

void FakeBuilder::Transfer::refuse(const std::string& reason) {
  Packet packet;
  packet.set_type(Packet::ERR);
  packet.set_data(reason);
  write(packet);
}

FakeBuilder::FakeBuilder(SessionContent content)
    : server_(std::make_unique<SessionServer>(std::move(content))) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  server_->serve(UniqueFd(ends[0]));
  channel_ = make_control_channel(UniqueFd(ends[1]));
  files_ = moby::filesync::v1::FileSync::NewStub(channel_);
}

FakeBuilder::Transfer FakeBuilder::sync(const std::string& directory, Metadata metadata) {
  metadata.emplace_back("dir-name", directory);
  return Transfer(*files_, metadata);
}

std::string FakeBuilder::credentials(const std::string& host) {
  const auto stub = moby::filesync::v1::Auth::NewStub(channel_);
  grpc::ClientContext context;
  moby::filesync::v1::CredentialsRequest request;
  request.set_host(host);
  moby::filesync::v1::CredentialsResponse response;
  const grpc::Status status = stub->Credentials(&context, request, &response);
  return status.ok() ? response.username() + ":" + response.secret() : status.error_message();
}

bool FakeBuilder::is_healthy() {
  const auto stub = grpc::health::v1::Health::NewStub(channel_);
  grpc::ClientContext context;
  const grpc::health::v1::HealthCheckRequest request;
  grpc::health::v1::HealthCheckResponse response;
  return stub->Check(&context, request, &response).ok() &&
         response.status() == grpc::health::v1::HealthCheckResponse::SERVING;
}

}  // namespace freshet::engine
