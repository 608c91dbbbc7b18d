// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/text.hpp"
#include "freshet/net/testing/loopback_server.hpp"

#include <boost/asio/read.hpp>

#include <array>
#include <atomic>
#include <charconv>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <string_view>

namespace freshet::net::testing {

/// What goes wrong with one request.
enum class Fault {
  lose_request,  // the connection ends before anything is passed on
  cut_request,  // it ends in the middle of the request's body
  corrupt_request,  // a byte of the body is another one
  repeat_request,  // it is passed on twice
  lose_answer,  // the request is carried out, its answer never comes
  cut_answer,  // the answer ends in its middle
  corrupt_answer,  // a byte of its body is another one
  refuse,  // 503, not passed on
  limit,  // 429, not passed on
  delay,  // by a moment
  stall_request,  // it is taken and never answered, the connection stays
  stall_answer,  // the answer stops in its middle, the connection stays
};
inline constexpr int k_faults = 12;
inline constexpr int k_quick_faults = 10;  // the stalls cost the patience of whoever asks

/// The faults of one run of so many requests, by the number of the request (from 0): one in turn,
/// so that as many runs as there are requests times faults try each with each, and up to two more
/// quick ones at random.
inline std::map<int, Fault> faults_of_run(unsigned seed, int requests) {
  if (requests == 0) {
    return {};
  }
  std::mt19937 random(seed);
  std::map<int, Fault> faults;
  const std::size_t more = random() % 3;
  for (std::size_t i = 0; i < more; ++i) {
    const int request = static_cast<int>(random() % static_cast<std::size_t>(requests));
    faults[request] = static_cast<Fault>(random() % k_quick_faults);
  }
  const unsigned in_turn = seed % static_cast<unsigned>(requests * k_faults);
  faults[static_cast<int>(in_turn / k_faults)] = static_cast<Fault>(in_turn % k_faults);
  return faults;
}

/// An HTTP/1.1 proxy on loopback in front of one server, which spoils what it was told to.
class FaultyProxy {
 public:
  /// `upstream` is `127.0.0.1:port`. `on_break` is called, by the proxy's thread, before a fault
  /// ends a connection.
  FaultyProxy(
      const std::string& upstream,
      std::map<int, Fault> faults,
      std::function<void()> on_break = [] {})
      : port_(to_number(upstream.substr(upstream.find(':') + 1))),
        on_break_(std::move(on_break)),
        faults_(std::move(faults)),
        server_([this](Socket socket) { return serve(std::move(socket)); }) {}

  std::string authority() const { return server_.authority(); }
  int requests() const { return requests_.load(); }
  /// Bytes of the bodies of requests that were passed on.
  std::uint64_t bytes_up() const { return bytes_up_.load(); }
  /// The faults from now on, counting requests from 0 again.
  void spoil(std::map<int, Fault> faults) {
    const std::lock_guard lock(mutex_);
    faults_ = std::move(faults);
    requests_ = 0;
  }

 private:
  using Socket = asio::ip::tcp::socket;
  static constexpr std::size_t k_buffer = 64UL * 1024;

  /// How the body behind a header is delimited.
  struct Framing {
    bool is_chunked = false;
    std::uint64_t length = 0;
  };
  /// Bytes of a body on their way.
  struct Passage {
    bool is_cut = false;
    bool is_corrupted = false;
    std::string* copy = nullptr;  // keeps them
    std::atomic<std::uint64_t>* count = nullptr;  // counts them
    std::uint64_t cut_after = 0;
  };

  static unsigned short to_number(std::string_view text) {
    unsigned short number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  static std::string field(std::string_view header, std::string_view name) {
    for (const std::string& line : split(header, '\n')) {
      const std::size_t colon = line.find(':');
      if (colon != std::string::npos && to_lower(line.substr(0, colon)) == name) {
        return std::string(trim(std::string_view(line).substr(colon + 1)));
      }
    }
    return {};
  }
  static Framing framing_of(std::string_view header) {
    Framing framing;
    framing.is_chunked = to_lower(field(header, "transfer-encoding")) == "chunked";
    const std::string length = field(header, "content-length");
    std::from_chars(length.data(), length.data() + length.size(), framing.length);
    return framing;
  }

  Awaitable<void> serve(Socket client) {
    char first = 0;
    co_await client.async_receive(
        asio::buffer(&first, 1), Socket::message_peek, asio::use_awaitable);
    if (first < 'A' || first > 'Z') {
      co_return;  // a TLS greeting: no plain server would wait for more
    }
    Socket upstream(co_await asio::this_coro::executor);
    const asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(), port_);
    co_await upstream.async_connect(server, asio::use_awaitable);
    upstream.set_option(asio::ip::tcp::no_delay(true));
    client.set_option(asio::ip::tcp::no_delay(true));
    std::string from_client;
    std::string from_server;
    for (;;) {
      const std::string header = co_await read_header(client, from_client);
      const int fault = next_fault();
      const bool goes_on =
          co_await exchange(client, from_client, upstream, from_server, header, fault);
      if (!goes_on) {
        on_break_();
        co_return;
      }
    }
  }

  /// Of the request that has come; -1: none.
  int next_fault() {
    const std::lock_guard lock(mutex_);
    const auto fault = faults_.find(requests_++);
    return fault == faults_.end() ? -1 : static_cast<int>(fault->second);
  }

  static bool is(int fault, Fault which) { return fault == static_cast<int>(which); }

  Awaitable<bool> exchange(
      Socket& client,
      std::string& from_client,
      Socket& upstream,
      std::string& from_server,
      std::string header,
      int fault) {
    if (is(fault, Fault::lose_request)) {
      co_return false;
    }
    if (is(fault, Fault::stall_request)) {
      co_await wait_for_close(client);
      co_return false;
    }
    if (is(fault, Fault::refuse) || is(fault, Fault::limit)) {
      const std::string text = http_answer(
          is(fault, Fault::refuse) ? "503 Service Unavailable" : "429 Too Many Requests",
          "no",
          "Connection: close\r\nRetry-After: 0\r\n");
      co_await asio::async_write(client, asio::buffer(text), asio::use_awaitable);
      co_return false;
    }
    if (is(fault, Fault::delay)) {
      co_await sleep_for(std::chrono::milliseconds(50));
    }
    const Framing framing = framing_of(header);
    if (to_lower(field(header, "expect")) == "100-continue") {
      const std::string text = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(client, asio::buffer(text), asio::use_awaitable);
    }
    const std::string to_send = without_expect(header);
    co_await asio::async_write(upstream, asio::buffer(to_send), asio::use_awaitable);
    std::string body;
    Passage passage;
    passage.is_cut = is(fault, Fault::cut_request);
    passage.cut_after = framing.is_chunked ? 100'000 : framing.length / 2;
    passage.is_corrupted = is(fault, Fault::corrupt_request);
    passage.copy = is(fault, Fault::repeat_request) ? &body : nullptr;
    passage.count = &bytes_up_;
    const bool is_whole = co_await pass(client, from_client, upstream, framing, passage);
    if (!is_whole) {
      co_return false;
    }
    const bool is_head = header.starts_with("HEAD ");
    if (is(fault, Fault::repeat_request)) {
      co_await drop_answer(upstream, from_server, is_head);
      const std::string again = to_send + body;
      co_await asio::async_write(upstream, asio::buffer(again), asio::use_awaitable);
    }
    co_return co_await answer(client, upstream, from_server, is_head, fault);
  }

  static std::string without_expect(const std::string& header) {
    const std::size_t at = to_lower(header).find("\r\nexpect:");
    if (at == std::string::npos) {
      return header;
    }
    return header.substr(0, at) + header.substr(header.find("\r\n", at + 2));
  }

  static Framing framing_of_answer(std::string_view header, bool is_head) {
    const std::string_view status = header.substr(9, 3);
    const bool has_body = !is_head && status != "204" && status != "304";
    return has_body ? framing_of(header) : Framing{};
  }

  Awaitable<void> drop_answer(Socket& upstream, std::string& rest, bool is_head) {
    const std::string header = co_await read_header(upstream, rest);
    const Framing framing = framing_of_answer(header, is_head);
    std::string body;
    Passage passage;
    passage.copy = &body;
    co_await read_through(upstream, rest, nullptr, framing, passage);
  }

  Awaitable<bool> answer(
      Socket& client, Socket& upstream, std::string& rest, bool is_head, int fault) {
    const std::string header = co_await read_header(upstream, rest);
    if (is(fault, Fault::lose_answer)) {
      co_return false;
    }
    const Framing framing = framing_of_answer(header, is_head);
    std::size_t length = header.size();
    const bool has_body = framing.is_chunked || framing.length > 0;
    const bool is_to_stop = is(fault, Fault::cut_answer) || is(fault, Fault::stall_answer);
    if (is_to_stop && !has_body) {
      length /= 2;
    }
    co_await asio::async_write(client, asio::buffer(header, length), asio::use_awaitable);
    Passage passage;
    passage.is_cut = is_to_stop;
    passage.cut_after = framing.length / 2;
    passage.is_corrupted = is(fault, Fault::corrupt_answer);
    bool is_whole = length == header.size();
    if (is_whole) {
      is_whole = co_await pass(upstream, rest, client, framing, passage);
    }
    if (is(fault, Fault::stall_answer)) {
      co_await wait_for_close(client);
    }
    co_return is_whole;
  }

  Awaitable<bool> pass(
      Socket& from, std::string& rest, Socket& to, Framing framing, Passage passage) {
    co_return co_await read_through(from, rest, &to, framing, passage);
  }

  /// False when the connection is to end here.
  Awaitable<bool> read_through(
      Socket& from, std::string& rest, Socket* to, Framing framing, Passage passage) {
    std::uint64_t passed = 0;
    if (!framing.is_chunked) {
      const bool is_whole = co_await pass_bytes(from, rest, to, framing.length, passage, passed);
      co_return is_whole;
    }
    for (;;) {
      const std::string line = co_await read_line(from, rest);
      std::uint64_t size = 0;
      std::from_chars(line.data(), line.data() + line.size(), size, 16);
      Passage untouched;
      untouched.copy = passage.copy;
      std::string framed = line;
      co_await deliver(to, framed, untouched);
      const bool is_whole = co_await pass_bytes(from, rest, to, size, passage, passed);
      if (!is_whole) {
        co_return false;
      }
      std::string end = co_await read_line(from, rest);
      co_await deliver(to, end, untouched);
      if (size == 0) {
        co_return true;
      }
    }
  }

  static Awaitable<std::string> read_line(Socket& from, std::string& rest) {
    auto buffer = asio::dynamic_buffer(rest);
    const std::size_t length =
        co_await asio::async_read_until(from, buffer, "\r\n", asio::use_awaitable);
    std::string line = rest.substr(0, length);
    rest.erase(0, length);
    co_return line;
  }

  static Awaitable<void> deliver(Socket* to, std::string& bytes, const Passage& passage) {
    if (passage.copy != nullptr) {
      passage.copy->append(bytes);
    }
    if (passage.count != nullptr) {
      *passage.count += bytes.size();
    }
    if (to != nullptr) {
      co_await asio::async_write(*to, asio::buffer(bytes), asio::use_awaitable);
    }
  }

  static Awaitable<bool> pass_bytes(
      Socket& from,
      std::string& rest,
      Socket* to,
      std::uint64_t length,
      Passage& passage,
      std::uint64_t& passed) {
    std::string buffer(k_buffer, '\0');
    while (length > 0) {
      std::string piece;
      if (rest.empty()) {
        const std::size_t count =
            co_await from.async_read_some(asio::buffer(buffer), asio::use_awaitable);
        rest.assign(buffer, 0, count);
      }
      piece = rest.substr(0, std::min<std::uint64_t>(length, rest.size()));
      rest.erase(0, piece.size());
      length -= piece.size();
      passed += piece.size();
      if (passage.is_corrupted && passed > passage.cut_after) {
        piece[piece.size() / 2] ^= 1;
        passage.is_corrupted = false;
      }
      const bool is_cut = passage.is_cut && passed > passage.cut_after;
      if (is_cut) {
        piece.resize(piece.size() / 2);
      }
      co_await deliver(to, piece, passage);
      if (is_cut) {
        co_return false;
      }
    }
    co_return true;
  }

  unsigned short port_;
  std::function<void()> on_break_;
  std::mutex mutex_;
  std::map<int, Fault> faults_;
  std::atomic<int> requests_ = 0;
  std::atomic<std::uint64_t> bytes_up_ = 0;
  LoopbackServer server_;
};

}  // namespace freshet::net::testing
