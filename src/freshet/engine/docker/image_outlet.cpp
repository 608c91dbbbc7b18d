// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_outlet.hpp"

#include "freshet/base/ids.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace freshet::engine {
namespace {

namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

constexpr std::size_t k_piece_bytes = 256 * 1024;
constexpr std::uint32_t k_max_head_bytes = 16 * 1024;
constexpr const char* k_binary = "application/octet-stream";

}  // namespace

/// One connection of the engine.
class ImageOutlet::Conversation {
 public:
  Conversation(ImageOutlet& outlet, Tcp::socket socket)
      : outlet_(outlet), socket_(std::move(socket)) {}

  Awaitable<void> run() {
    for (bool goes_on = true; goes_on;) {
      http::request_parser<http::empty_body> parser;
      parser.header_limit(k_max_head_bytes);
      const auto code = co_await in_time(read_head(parser));
      if (code) {
        const bool speaks = code.category() == http::make_error_code(http::error{}).category() &&
                            code != http::error::end_of_stream;
        if (speaks) {
          co_await refuse();
        }
        co_return;
      }
      outlet_.was_asked_ = true;
      request_ = parser.release();
      goes_on = request_.keep_alive();
      co_await answer();
    }
  }

 private:
  using SocketError = boost::system::error_code;

  Awaitable<SocketError> read_head(http::request_parser<http::empty_body>& parser) {
    const auto read =
        co_await http::async_read(socket_, buffer_, parser, asio::as_tuple(asio::use_awaitable));
    co_return std::get<0>(read);
  }

  /// The other side's silence ends like its connection.
  Awaitable<SocketError> in_time(Awaitable<SocketError> reading) const {
    try {
      co_return co_await with_deadline(
          Ctx().within(outlet_.idle_limit_), "a request", std::move(reading));
    } catch (const Error&) {
      co_return http::error::end_of_stream;
    }
  }

  /// Clients try TLS first. They take to plain HTTP when they are answered in it.
  Awaitable<void> refuse() {
    co_await head(http::status::bad_request, 0, k_binary);
    socket_.shutdown(Tcp::socket::shutdown_send);
    co_await in_time(read_rest());
  }

  /// Closing before all was read would take the answer back.
  Awaitable<SocketError> read_rest() {
    std::array<char, 1024> rest{};
    SocketError code;
    while (!code) {
      const auto read =
          co_await socket_.async_read_some(asio::buffer(rest), asio::as_tuple(asio::use_awaitable));
      code = std::get<0>(read);
    }
    co_return code;
  }

  Awaitable<void> answer() {
    const std::string target(request_.target());
    const bool is_read = request_.method() == http::verb::get || is_head();
    if (!is_read) {
      co_await head(http::status::method_not_allowed, 0, k_binary);
    } else if (target == "/v2/") {
      co_await head(http::status::ok, 0, "application/json");
    } else {
      for (std::size_t i = 0; i < outlet_.images_.size(); ++i) {
        const std::string start = fmt::format("/v2/{}/", outlet_.repository(i));
        if (target.starts_with(start)) {
          co_await answer_of(i, target.substr(start.size()));
          co_return;
        }
      }
      co_await head(http::status::not_found, 0, k_binary);
    }
  }

  Awaitable<void> answer_of(std::size_t index, std::string path) {
    const OfferedImage& image = outlet_.images_[index];
    const auto is_asked = [&](const oci::Descriptor& blob) {
      return path == "blobs/" + blob.digest.to_string();
    };
    const auto layer = std::ranges::find_if(image.layers, is_asked);
    if (path == "manifests/" + image.manifest.descriptor.digest.to_string()) {
      co_await whole(image.manifest.bytes, image.manifest.descriptor.media_type);
    } else if (layer != image.layers.end()) {
      co_await pass_on(index, *layer);
    } else if (path == "blobs/" + oci::Digest::of(image.config).to_string()) {
      co_await whole(image.config, k_binary);
    } else {
      co_await head(http::status::not_found, 0, k_binary);
    }
  }

  Awaitable<void> whole(std::string_view bytes, std::string type) {
    co_await head(http::status::ok, bytes.size(), std::move(type));
    if (!is_head()) {
      co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
    }
  }

  Awaitable<void> pass_on(std::size_t index, oci::Descriptor layer) {
    if (is_head()) {
      co_await head(http::status::ok, layer.size_bytes, k_binary);
      co_return;
    }
    try {
      std::unique_ptr<net::ByteStream> stream =
          co_await with_patience(outlet_.images_[index].open(layer));
      co_await head(http::status::ok, layer.size_bytes, k_binary);
      std::vector<char> piece(k_piece_bytes);
      for (;;) {
        const std::size_t count = co_await with_patience(stream->read(asio::buffer(piece)));
        if (count == 0) {
          co_return;
        }
        co_await asio::async_write(socket_, asio::buffer(piece.data(), count), asio::use_awaitable);
      }
    } catch (const Error& error) {
      throw OfferBroken(error, index);
    }
  }

  template <class T>
  Awaitable<T> with_patience(Awaitable<T> operation) const {
    return with_deadline(
        Ctx().within(outlet_.patience_), "waiting for a layer", std::move(operation));
  }

  bool is_head() const { return request_.method() == http::verb::head; }

  Awaitable<void> head(http::status status, std::uint64_t size_bytes, std::string type) {
    http::response<http::empty_body> answer(status, 11);
    answer.set("Docker-Distribution-Api-Version", "registry/2.0");
    answer.set(http::field::content_type, type);
    answer.content_length(size_bytes);
    answer.keep_alive(request_.keep_alive());
    http::response_serializer<http::empty_body> serializer(answer);
    co_await http::async_write_header(socket_, serializer, asio::use_awaitable);
  }

  ImageOutlet& outlet_;
  Tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
};

ImageOutlet::ImageOutlet(
    asio::any_io_executor executor,
    std::vector<OfferedImage> images,
    Ctx::Clock::duration patience,
    Ctx::Clock::duration idle_limit)
    : listener_(std::move(executor)),
      images_(std::move(images)),
      patience_(patience),
      idle_limit_(idle_limit),
      secret_(make_id()) {}

std::string ImageOutlet::repository(std::size_t image) const {
  return fmt::format("freshet/{}/{}", secret_, image);
}

std::string ImageOutlet::reference(std::size_t image) const {
  return fmt::format(
      "127.0.0.1:{}/{}@{}",
      listener_.port(),
      repository(image),
      images_.at(image).manifest.descriptor.digest.to_string());
}

Awaitable<void> ImageOutlet::serve() {
  const auto work = [this](Tcp::socket socket) { return converse(std::move(socket)); };
  co_await listener_.serve(work);
}

Awaitable<void> ImageOutlet::converse(Tcp::socket socket) {
  Conversation conversation(*this, std::move(socket));
  co_await conversation.run();
}

}  // namespace freshet::engine
