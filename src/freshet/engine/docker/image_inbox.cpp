// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_inbox.hpp"

#include "freshet/base/text.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace freshet::engine {
namespace {

namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

constexpr std::size_t k_piece_bytes = 64 * 1024;
constexpr int k_socket_bytes = 64 * 1024;  // what lies in sockets was compressed for nothing
constexpr auto k_hold_up = std::chrono::milliseconds(300);
constexpr std::uint32_t k_max_head_bytes = 16 * 1024;

Error no_room(std::string_view what) {
  const std::string reason = to_lower(std::generic_category().message(errno));
  return Error(ErrorCode::unavailable, fmt::format("{}: {}", what, reason));
}

class SpoolStream final : public net::ByteStream {
 public:
  explicit SpoolStream(std::shared_ptr<const SpooledBlob> blob, int file)
      : blob_(std::move(blob)), file_(file) {}

  /// What was just written is in memory still: nothing to wait for.
  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    const auto offset = static_cast<off_t>(taken_);
    const ssize_t count = ::pread(file_, buffer.data(), buffer.size(), offset);
    if (count < 0) {
      throw no_room("a temporary file cannot be read");
    }
    taken_ += static_cast<std::uint64_t>(count);
    co_return static_cast<std::size_t>(count);
  }

 private:
  const std::shared_ptr<const SpooledBlob> blob_;
  const int file_;
  std::uint64_t taken_ = 0;
};

/// Of `…?digest=sha256%3A…`, the colon encoded or not.
std::string digest_in(std::string_view target) {
  constexpr std::size_t k_hex_digits = 64;
  const std::size_t size = std::min(target.size(), k_hex_digits);
  return fmt::format("sha256:{}", target.substr(target.size() - size));
}

Awaitable<void> wait_for_ever() {
  asio::steady_timer timer(
      co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

SpooledBlob::SpooledBlob() {
  std::string name = (fs::temp_directory_path() / "freshet-layer-XXXXXX").string();
  file_ = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
  if (!file_.is_open()) {
    throw no_room("no temporary file can be made");
  }
  ::unlink(name.c_str());
}

void SpooledBlob::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
    if (count < 0) {
      throw no_room("a temporary file cannot be written");
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
    size_ += static_cast<std::uint64_t>(count);
  }
}

std::unique_ptr<net::ByteStream> SpooledBlob::open(std::shared_ptr<const SpooledBlob> blob) {
  const int file = blob->file_.get();
  return std::make_unique<SpoolStream>(std::move(blob), file);
}

/// One connection of the engine.
class ImageInbox::Conversation {
 public:
  Conversation(ImageInbox& inbox, Tcp::socket socket)
      : inbox_(inbox), socket_(std::move(socket)), piece_(k_piece_bytes) {}

  Awaitable<void> run() {
    for (bool goes_on = true; goes_on;) {
      parser_.emplace();
      parser_->body_limit(boost::none);
      parser_->header_limit(k_max_head_bytes);
      const auto read = co_await http::async_read_header(
          socket_, buffer_, *parser_, asio::as_tuple(asio::use_awaitable));
      if (std::get<0>(read)) {
        co_return;  // it has closed, or speaks TLS, which it gives up when this does not
      }
      co_await answer();
      goes_on = parser_->is_done() && parser_->get().keep_alive();
    }
  }

 private:
  Awaitable<void> answer() {
    const http::verb method = parser_->get().method();
    const std::string target(parser_->get().target());
    const std::string_view path = std::string_view(target).substr(0, target.find('?'));
    const auto upload = inbox_.uploads_.find(path);
    if (method == http::verb::get && path == "/v2/") {
      co_await reply(http::status::ok);
    } else if (method == http::verb::post && path == inbox_.path("blobs/uploads/")) {
      co_await begin_upload();
    } else if (upload != inbox_.uploads_.end() && method == http::verb::patch) {
      co_await take_body(*upload->second);
      answer_.set(http::field::location, target);
      answer_.set(http::field::range, fmt::format("0-{}", upload->second->size_bytes() - 1));
      co_await reply(http::status::accepted);
    } else if (upload != inbox_.uploads_.end() && method == http::verb::put) {
      co_await take_body(*upload->second);
      co_await end_upload(upload->first, target);
    } else if (method == http::verb::head) {
      co_await tell_size(path);
    } else {
      co_await reply(http::status::not_found);
    }
  }

  Awaitable<void> begin_upload() {
    const std::string path =
        inbox_.path(fmt::format("blobs/uploads/{}", inbox_.uploads_.size() + 1));
    inbox_.uploads_.emplace(path, std::make_shared<SpooledBlob>());
    answer_.set(http::field::location, path);
    answer_.set(http::field::range, "0-0");
    co_await reply(http::status::accepted);
  }

  Awaitable<void> take_body(SpooledBlob& blob) {
    while (!parser_->is_done()) {
      auto& body = parser_->get().body();
      body.data = piece_.data();
      body.size = piece_.size();
      const auto read = co_await http::async_read(
          socket_, buffer_, *parser_, asio::as_tuple(asio::use_awaitable));
      const boost::system::error_code code = std::get<0>(read);
      if (code && code != http::error::need_buffer) {
        throw boost::system::system_error(code);
      }
      const std::size_t count = piece_.size() - body.size;
      co_await hold_up(blob.size_bytes(), blob.size_bytes() + count);
      blob.append(std::string_view(piece_.data(), count));
    }
  }

  /// Where an upload comes to a limit of its size.
  Awaitable<void> hold_up(std::uint64_t before, std::uint64_t after) {
    if (after > inbox_.max_bytes_) {
      co_await wait_for_ever();
    }
    if (before <= inbox_.likely_bytes_ && after > inbox_.likely_bytes_) {
      co_await sleep_for(k_hold_up);
    }
  }

  /// `target` names the digest, which is not looked at: what the layer holds has to be right.
  Awaitable<void> end_upload(std::string path, std::string target) {
    const std::shared_ptr<SpooledBlob> blob = inbox_.uploads_.at(path);
    const std::string digest = digest_in(target);
    inbox_.blobs_.emplace(digest, blob->size_bytes());
    answer_.set(http::field::location, inbox_.path("blobs/" + digest));
    answer_.set("Docker-Content-Digest", digest);
    co_await reply(http::status::created);
    co_await inbox_.on_layer_(blob);
  }

  Awaitable<void> tell_size(std::string_view path) {
    const std::string blobs = inbox_.path("blobs/");
    const auto blob = path.starts_with(blobs) ? inbox_.blobs_.find(path.substr(blobs.size()))
                                              : inbox_.blobs_.end();
    if (blob == inbox_.blobs_.end()) {
      co_await reply(http::status::not_found);
      co_return;
    }
    content_length_ = blob->second;
    answer_.set("Docker-Content-Digest", blob->first);
    co_await reply(http::status::ok);
  }

  Awaitable<void> reply(http::status status) {
    answer_.version(11);
    answer_.result(status);
    answer_.set("Docker-Distribution-Api-Version", "registry/2.0");
    answer_.content_length(content_length_);
    answer_.keep_alive(parser_->get().keep_alive());
    const http::response<http::empty_body> answer = std::exchange(answer_, {});
    content_length_ = 0;
    http::response_serializer<http::empty_body> serializer(answer);
    co_await http::async_write_header(socket_, serializer, asio::use_awaitable);
  }

  ImageInbox& inbox_;
  Tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  std::vector<char> piece_;
  std::optional<http::request_parser<http::buffer_body>> parser_;
  http::response<http::empty_body> answer_;
  std::uint64_t content_length_ = 0;
};

ImageInbox::ImageInbox(
    asio::any_io_executor executor,
    std::string repository,
    std::uint64_t likely_bytes,
    std::uint64_t max_bytes)
    : listener_(std::move(executor), k_socket_bytes),
      repository_(std::move(repository)),
      likely_bytes_(likely_bytes),
      max_bytes_(max_bytes) {}

std::string ImageInbox::name() const {
  return fmt::format("127.0.0.1:{}/{}", listener_.port(), repository_);
}

std::string ImageInbox::path(std::string_view rest) const {
  return fmt::format("/v2/{}/{}", repository_, rest);
}

Awaitable<void> ImageInbox::serve(OnLayer on_layer) {
  on_layer_ = std::move(on_layer);
  const auto work = [this](Tcp::socket socket) { return converse(std::move(socket)); };
  co_await listener_.serve(work);
}

Awaitable<void> ImageInbox::converse(Tcp::socket socket) {
  Conversation conversation(*this, std::move(socket));
  co_await conversation.run();
}

}  // namespace freshet::engine
