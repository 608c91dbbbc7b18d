// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace freshet::net {

/// One request as a curl easy handle and the answer that gathers in it. Does not move: curl keeps
/// pointers into it. Used by `CurlHttpClient` only.
class CurlTransfer {
 public:
  static constexpr std::size_t k_max_header_bytes = 64UL * 1024;

  /// Throws invalid_input when the URL is none, deadline_exceeded when it has passed already.
  CurlTransfer(Ctx ctx, HttpRequest request);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* handle() const { return handle_.get(); }

  /// The answer, once curl has ended with `code`; throws what `HttpClient::send` promises.
  HttpResponse take_response(CURLcode code);

 private:
  struct HandleCleanup {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  struct ListCleanup {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  enum class Stopped { no, header_too_large, body_too_large, internal_peer };

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);

  template <class Value>
  void set(CURLoption option, Value value);
  void set_up_connection(Ctx ctx);
  void set_up_request();
  void append_header(const std::string& line);
  void take_header_line(std::string_view line);
  [[noreturn]] void throw_failure(CURLcode code);
  [[noreturn]] void throw_stopped();
  long os_error() const;

  HttpRequest request_;
  Url url_;
  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  Stopped stopped_ = Stopped::no;
  std::string refused_address_;
  std::array<char, CURL_ERROR_SIZE> words_{};  // curl's own account of the failure
  std::unique_ptr<curl_slist, ListCleanup> header_list_;
  std::unique_ptr<CURL, HandleCleanup> handle_;
};

}  // namespace freshet::net
