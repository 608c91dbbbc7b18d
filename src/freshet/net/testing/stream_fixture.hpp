// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <limits>
#include <memory>
#include <string>

namespace freshet::net::testing {

inline constexpr std::size_t k_mebibyte = 1024UL * 1024;

/// Bytes in which a lost, doubled or moved piece shows.
inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : text) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24U);
  }
  return text;
}

class StreamTest : public ::testing::Test {
 protected:
  std::unique_ptr<HttpStream> open(
      HttpRequest request, Ctx::Clock::duration limit = std::chrono::seconds(30)) {
    return run_on(io_, client_.open(Ctx{}.within(limit), std::move(request)));
  }
  std::unique_ptr<HttpStream> open(std::string url) {
    HttpRequest request;
    request.url = std::move(url);
    return open(std::move(request));
  }
  std::string read_all(HttpStream& stream) {
    return run_on(io_, stream.read_all(std::numeric_limits<std::size_t>::max() / 2));
  }
  /// The transport error in which `work` ends.
  template <class Work>
  TransportError failure_of(Work work) {
    try {
      work();
    } catch (const TransportError& error) {
      return error;
    }
    ADD_FAILURE() << "nothing failed";
    return TransportError(TransportProblem::other, ErrorCode::internal, "none");
  }
  template <class T>
  bool arrives(std::future<T>& event) {
    for (int round = 0; round < 1000; ++round) {
      io_.restart();
      io_.poll();
      if (event.wait_for(std::chrono::milliseconds(10)) == std::future_status::ready) {
        return true;
      }
    }
    return false;
  }

  asio::io_context io_;
  CurlHttpClient client_{io_.get_executor()};
};

}  // namespace freshet::net::testing
