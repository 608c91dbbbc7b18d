// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <boost/asio/strand.hpp>
#include <curl/curl.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace freshet::net {

/// The curl multi handle, driven by the sockets and timers of Asio. Everything but the constructor
/// runs on `strand()`.
class CurlDriver : public std::enable_shared_from_this<CurlDriver> {
 public:
  /// Whoever owns a transfer.
  class Owner {
   public:
    /// curl is done with the transfer; it is still attached.
    virtual void on_ended(CURLcode code) = 0;

   protected:
    ~Owner() = default;
  };

  explicit CurlDriver(const asio::any_io_executor& executor);
  ~CurlDriver();
  CurlDriver(const CurlDriver&) = delete;
  CurlDriver& operator=(const CurlDriver&) = delete;

  const asio::strand<asio::any_io_executor>& strand() const { return strand_; }

  /// Starts the transfer, which must be detached before it or its owner goes. Never on a kept
  /// connection by which something came that nobody asked for: it would be taken for the answer.
  void attach(CURL* handle, Owner& owner);
  /// Ends what is under way: a connection that was left in the middle of a request is closed.
  void detach(CURL* handle);

 private:
  struct Watch;
  using Ends = std::pair<std::string, std::string>;  // of a connection: ours and the other side's

  static int on_socket(CURL*, curl_socket_t socket, int wanted, void* self, void*);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  static int on_opened(void* self, curl_socket_t socket, curlsocktype);
  static int on_close(void* self, curl_socket_t socket);
  static int on_request(void* self, char* remote, char* local, int remote_port, int local_port);
  static Ends ends_of(curl_socket_t socket);
  static Ends last_ends_of(CURL* handle);
  void watch(curl_socket_t socket, int wanted);
  void wait_as_wanted(curl_socket_t socket, const std::shared_ptr<Watch>& entry);
  void wait_for(curl_socket_t socket, const std::shared_ptr<Watch>& entry, int event);
  void on_ready(curl_socket_t socket, const std::shared_ptr<Watch>& entry, int event);
  void set_timer(long timeout_ms);
  void act(curl_socket_t socket, int event);
  void drop_spoiled_connections();

  asio::strand<asio::any_io_executor> strand_;
  asio::steady_timer timer_;
  CURLM* multi_ = nullptr;
  std::map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  std::set<curl_socket_t> open_;  // of connections; not the resolver's, which it closes itself
  std::map<curl_socket_t, Ends> idle_;  // kept HTTP/1 connections that no transfer uses
};

}  // namespace freshet::net
