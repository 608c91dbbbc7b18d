// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_outlet.hpp"

#include "freshet/engine/testing/run.hpp"
#include "freshet/net/memory_stream.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace freshet::engine {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::run;
using ::testing::StartsWith;
using Tcp = asio::ip::tcp;

constexpr const char* k_manifest_type = "application/vnd.oci.image.manifest.v1+json";

oci::Descriptor describe(const std::string& bytes) {
  return {"application/octet-stream", oci::Digest::of(bytes), bytes.size()};
}

/// What never gives a byte.
class SilentStream final : public net::ByteStream {
 public:
  Awaitable<std::size_t> read(asio::mutable_buffer) override {
    co_await sleep_for(std::chrono::hours(1));
    co_return 0;
  }
};

class Outlet : public ::testing::Test {
 protected:
  /// Serves one image whose layer `layer` is got by `open`, until it breaks.
  void offer(std::function<Awaitable<std::unique_ptr<net::ByteStream>>(oci::Descriptor)> open) {
    const oci::Manifest manifest{{k_manifest_type, oci::Digest::of("manifest"), 8}, "manifest"};
    const OfferedImage image{manifest, "config", {describe("layer")}, std::move(open)};
    outlet.emplace(io.get_executor(), std::vector<OfferedImage>{image}, 50ms, 20ms);
    asio::co_spawn(
        io, outlet->serve(), [this](const std::exception_ptr& thrown) { failure = thrown; });
  }

  void offer_layer() {
    offer([](oci::Descriptor) -> Awaitable<std::unique_ptr<net::ByteStream>> {
      co_return std::make_unique<net::MemoryStream>("layer");
    });
  }

  /// All of the answer to a request in a connection of its own.
  Awaitable<std::string> exchange(std::string request) {
    Tcp::socket socket(io);
    const auto port = static_cast<std::uint16_t>(std::stoi(outlet->reference(0).substr(10)));
    const Tcp::endpoint to(asio::ip::address_v4::loopback(), port);
    co_await socket.async_connect(to, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
    socket.shutdown(Tcp::socket::shutdown_send);
    std::string answer;
    boost::system::error_code code;
    co_await asio::async_read(
        socket, asio::dynamic_buffer(answer), asio::redirect_error(asio::use_awaitable, code));
    co_return answer;
  }

  std::string answer(const std::string& method, const std::string& path) {
    return run(
        io,
        exchange(fmt::format(
            "{} {} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n", method, path)));
  }

  /// Of the only image.
  std::string path(const std::string& rest) const {
    const std::string reference = outlet->reference(0);
    const std::size_t slash = reference.find('/');
    return "/v2" + reference.substr(slash, reference.find('@') - slash) + "/" + rest;
  }

  std::string broken() {
    try {
      std::rethrow_exception(failure);
    } catch (const OfferBroken& error) {
      return fmt::format("{}: {}", error.image(), error.message());
    }
  }

  asio::io_context io;
  std::optional<ImageOutlet> outlet;
  std::exception_ptr failure;
};

TEST_F(Outlet, gives_manifest_configuration_and_layers_by_their_digests) {
  offer_layer();
  EXPECT_FALSE(outlet->was_asked());

  EXPECT_THAT(answer("GET", "/v2/"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(
      answer("GET", path("manifests/" + oci::Digest::of("manifest").to_string())),
      AllOf(StartsWith("HTTP/1.1 200"), HasSubstr(k_manifest_type), EndsWith("\r\n\r\nmanifest")));
  EXPECT_THAT(
      answer("GET", path("blobs/" + oci::Digest::of("config").to_string())),
      EndsWith("\r\n\r\nconfig"));
  EXPECT_THAT(
      answer("GET", path("blobs/" + oci::Digest::of("layer").to_string())),
      AllOf(HasSubstr("Content-Length: 5\r\n"), EndsWith("\r\n\r\nlayer")));

  EXPECT_TRUE(outlet->was_asked());
  EXPECT_EQ(failure, nullptr);
}

TEST_F(Outlet, tells_sizes_without_getting_the_layer) {
  offer([](oci::Descriptor) -> Awaitable<std::unique_ptr<net::ByteStream>> {
    throw Error(ErrorCode::not_found, "gone");
  });
  EXPECT_THAT(
      answer("HEAD", path("blobs/" + oci::Digest::of("layer").to_string())),
      AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Content-Length: 5\r\n")));
  EXPECT_THAT(
      answer("HEAD", path("manifests/" + oci::Digest::of("manifest").to_string())),
      AllOf(HasSubstr("Content-Length: 8\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_EQ(failure, nullptr);
}

TEST_F(Outlet, has_nothing_for_those_who_do_not_know_its_names) {
  offer_layer();
  const std::string digest = oci::Digest::of("layer").to_string();
  for (const std::string& where :
       {"/v2/freshet/x/0/blobs/" + digest, path("blobs/sha256:0"), path("tags/list")}) {
    EXPECT_THAT(answer("GET", where), StartsWith("HTTP/1.1 404")) << where;
  }
  EXPECT_THAT(answer("POST", path("blobs/uploads/")), StartsWith("HTTP/1.1 405"));
}

TEST_F(Outlet, answers_in_plain_http_who_speaks_tls) {
  offer_layer();
  EXPECT_THAT(
      run(io, exchange("\x16\x03\x01\x02 client hello" + std::string(2000, 'x'))),
      StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_FALSE(outlet->was_asked());
}

TEST_F(Outlet, ends_with_the_cause_when_a_layer_cannot_be_had) {
  offer([](oci::Descriptor) -> Awaitable<std::unique_ptr<net::ByteStream>> {
    throw Error(ErrorCode::not_found, "gone");
    co_return nullptr;
  });
  EXPECT_EQ(answer("GET", path("blobs/" + oci::Digest::of("layer").to_string())), "");
  EXPECT_EQ(broken(), "0: gone");
}

TEST_F(Outlet, ends_when_a_layer_does_not_go_on) {
  offer([](oci::Descriptor) -> Awaitable<std::unique_ptr<net::ByteStream>> {
    co_return std::make_unique<SilentStream>();
  });
  EXPECT_THAT(
      answer("GET", path("blobs/" + oci::Digest::of("layer").to_string())), EndsWith("\r\n\r\n"));
  EXPECT_EQ(broken(), "0: waiting for a layer took too long");
}

TEST_F(Outlet, answers_however_many_are_connected_and_silent) {
  offer_layer();
  const auto port = static_cast<std::uint16_t>(std::stoi(outlet->reference(0).substr(10)));
  const Tcp::endpoint to(asio::ip::address_v4::loopback(), port);
  std::vector<Tcp::socket> silent;
  for (int i = 0; i < 40; ++i) {
    silent.emplace_back(io).connect(to);
  }

  EXPECT_THAT(answer("GET", "/v2/"), StartsWith("HTTP/1.1 200 OK"));
}

}  // namespace
}  // namespace freshet::engine
