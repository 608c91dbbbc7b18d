// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_driver.hpp"

#include <arpa/inet.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace freshet::net {
namespace {

/// Connections kept for later requests; more than one host's worth of parallel transfers.
constexpr long k_max_idle_connections = 64;

void initialise_curl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    throw Error(ErrorCode::internal, curl_easy_strerror(code));
  }
}

/// Makes a connection look closed to curl, which asks before it uses it again, if bytes are waiting
/// in it. What curl has not read can only be thrown away, so as many as a liar may have sent ahead.
void drop_if_spoiled(curl_socket_t socket) {
  constexpr int k_max_reads = 64;
  std::array<char, 16UL * 1024> waste;
  if (::recv(socket, waste.data(), 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
    return;  // nothing came, or the end, which curl sees itself
  }
  ::shutdown(socket, SHUT_RDWR);
  for (int reads = 0; reads < k_max_reads; ++reads) {
    if (::recv(socket, waste.data(), waste.size(), MSG_DONTWAIT) <= 0) {
      return;
    }
  }
}

/// `address:port`, the address as curl writes it.
std::string text_of(const sockaddr_storage& end) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_v6 = end.ss_family == AF_INET6;
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(end);
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(end);
  const void* address = is_v6 ? static_cast<const void*>(&v6.sin6_addr) : &v4.sin_addr;
  ::inet_ntop(end.ss_family, address, text.data(), text.size());
  return fmt::format("{}:{}", text.data(), ntohs(is_v6 ? v6.sin6_port : v4.sin_port));
}

}  // namespace

CurlDriver::Ends CurlDriver::ends_of(curl_socket_t socket) {
  sockaddr_storage local{};
  sockaddr_storage remote{};
  socklen_t local_size = sizeof local;
  socklen_t remote_size = sizeof remote;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&local), &local_size);
  ::getpeername(socket, reinterpret_cast<sockaddr*>(&remote), &remote_size);
  return {text_of(local), text_of(remote)};
}

CurlDriver::Ends CurlDriver::last_ends_of(CURL* handle) {
  const char* local = nullptr;
  const char* remote = nullptr;
  long local_port = 0;
  long remote_port = 0;
  curl_easy_getinfo(handle, CURLINFO_LOCAL_IP, &local);
  curl_easy_getinfo(handle, CURLINFO_LOCAL_PORT, &local_port);
  curl_easy_getinfo(handle, CURLINFO_PRIMARY_IP, &remote);
  curl_easy_getinfo(handle, CURLINFO_PRIMARY_PORT, &remote_port);
  return {
      fmt::format("{}:{}", local == nullptr ? "" : local, local_port),
      fmt::format("{}:{}", remote == nullptr ? "" : remote, remote_port)};
}

/// One of curl's sockets, which stays curl's own: it is let go of, never closed.
struct CurlDriver::Watch {
  explicit Watch(const asio::strand<asio::any_io_executor>& strand) : descriptor(strand) {}
  ~Watch() {
    if (descriptor.is_open()) {
      descriptor.release();
    }
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  asio::posix::stream_descriptor descriptor;
  int wanted = CURL_POLL_NONE;
  bool is_reading = false;
  bool is_writing = false;
};

CurlDriver::CurlDriver(const asio::any_io_executor& executor)
    : strand_(asio::make_strand(executor)), timer_(strand_) {
  initialise_curl_once();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) {
    throw Error(ErrorCode::unavailable, "out of memory");
  }
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlDriver::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, static_cast<void*>(this));
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlDriver::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, static_cast<void*>(this));
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, k_max_idle_connections);
}

CurlDriver::~CurlDriver() {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  watches_.clear();
  curl_multi_cleanup(multi_);
}

void CurlDriver::attach(CURL* handle, Owner& owner) {
  curl_easy_setopt(handle, CURLOPT_PRIVATE, static_cast<void*>(&owner));
  curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, &CurlDriver::on_opened);
  curl_easy_setopt(handle, CURLOPT_SOCKOPTDATA, static_cast<void*>(this));
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, &CurlDriver::on_close);
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, static_cast<void*>(this));
  curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, &CurlDriver::on_request);
  curl_easy_setopt(handle, CURLOPT_PREREQDATA, static_cast<void*>(this));
  drop_spoiled_connections();
  const CURLMcode code = curl_multi_add_handle(multi_, handle);
  if (code != CURLM_OK) {
    throw Error(ErrorCode::internal, curl_multi_strerror(code));
  }
}

void CurlDriver::detach(CURL* handle) {
  const Ends ends = last_ends_of(handle);
  curl_multi_remove_handle(multi_, handle);
  long version = 0;
  curl_easy_getinfo(handle, CURLINFO_HTTP_VERSION, &version);
  // HTTP/2 says itself to which request an answer belongs, and talks while nobody asks.
  const bool may_mix_answers = version != CURL_HTTP_VERSION_2_0;
  for (const curl_socket_t socket : open_) {
    if (may_mix_answers && !watches_.contains(socket) && ends_of(socket) == ends) {
      idle_.insert_or_assign(socket, ends);
    }
  }
}

void CurlDriver::drop_spoiled_connections() {
  for (const auto& [socket, ends] : idle_) {
    drop_if_spoiled(socket);
  }
}

/// curl tells of a socket when it begins to wait for it, which it does not when the answer comes as
/// fast as it looks for it. This it calls in any case.
int CurlDriver::on_request(void* self, char* remote, char* local, int remote_port, int local_port) {
  const Ends ends{
      fmt::format("{}:{}", local, local_port), fmt::format("{}:{}", remote, remote_port)};
  std::erase_if(static_cast<CurlDriver*>(self)->idle_, [&](const auto& connection) {
    return connection.second == ends;
  });
  return CURL_PREREQFUNC_OK;
}

int CurlDriver::on_socket(CURL*, curl_socket_t socket, int wanted, void* self, void*) {
  auto& driver = *static_cast<CurlDriver*>(self);
  driver.idle_.erase(socket);
  driver.watch(socket, wanted);
  return 0;
}

int CurlDriver::on_opened(void* self, curl_socket_t socket, curlsocktype) {
  static_cast<CurlDriver*>(self)->open_.insert(socket);
  return CURL_SOCKOPT_OK;
}

int CurlDriver::on_close(void* self, curl_socket_t socket) {
  auto& driver = *static_cast<CurlDriver*>(self);
  driver.open_.erase(socket);
  driver.idle_.erase(socket);
  return ::close(socket);
}

int CurlDriver::on_timer(CURLM*, long timeout_ms, void* self) {
  static_cast<CurlDriver*>(self)->set_timer(timeout_ms);
  return 0;
}

void CurlDriver::watch(curl_socket_t socket, int wanted) {
  if (wanted == CURL_POLL_REMOVE) {
    const auto gone = watches_.find(socket);
    if (gone != watches_.end()) {
      // At once: a handler that is running may keep the object until curl has opened another socket
      // under the same number, and would then take that one's wait away.
      gone->second->descriptor.release();
      watches_.erase(gone);
    }
    return;
  }
  auto& entry = watches_[socket];
  if (entry == nullptr) {
    entry = std::make_shared<Watch>(strand_);
    entry->descriptor.assign(socket);
  }
  entry->wanted = wanted;
  wait_as_wanted(socket, entry);
}

void CurlDriver::wait_as_wanted(curl_socket_t socket, const std::shared_ptr<Watch>& entry) {
  if ((entry->wanted & CURL_POLL_IN) != 0 && !entry->is_reading) {
    entry->is_reading = true;
    wait_for(socket, entry, CURL_CSELECT_IN);
  }
  if ((entry->wanted & CURL_POLL_OUT) != 0 && !entry->is_writing) {
    entry->is_writing = true;
    wait_for(socket, entry, CURL_CSELECT_OUT);
  }
}

void CurlDriver::wait_for(curl_socket_t socket, const std::shared_ptr<Watch>& entry, int event) {
  using asio::posix::stream_descriptor;
  entry->descriptor.async_wait(
      event == CURL_CSELECT_IN ? stream_descriptor::wait_read : stream_descriptor::wait_write,
      [weak = weak_from_this(), weak_entry = std::weak_ptr(entry), socket, event](
          boost::system::error_code failure) {
        const auto self = weak.lock();
        const auto watched = weak_entry.lock();
        if (self != nullptr && watched != nullptr && !failure) {
          self->on_ready(socket, watched, event);
        }
      });
}

void CurlDriver::on_ready(curl_socket_t socket, const std::shared_ptr<Watch>& entry, int event) {
  (event == CURL_CSELECT_IN ? entry->is_reading : entry->is_writing) = false;
  const int polled = event == CURL_CSELECT_IN ? CURL_POLL_IN : CURL_POLL_OUT;
  if ((entry->wanted & polled) != 0) {  // else it was paused while the wait was under way
    // A refusal that came while the body is being sent must be read before the next send fails.
    const bool look = event == CURL_CSELECT_OUT && (entry->wanted & CURL_POLL_IN) != 0;
    act(socket, look ? event | CURL_CSELECT_IN : event);
  }
  const auto found = watches_.find(socket);
  if (found != watches_.end() && found->second == entry) {
    wait_as_wanted(socket, entry);
  }
}

void CurlDriver::set_timer(long timeout_ms) {
  if (timeout_ms < 0) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::chrono::milliseconds(timeout_ms));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code failure) {
    const auto self = weak.lock();
    if (self != nullptr && !failure) {
      self->act(CURL_SOCKET_TIMEOUT, 0);
    }
  });
}

/// Lets curl work, then tells the owners of transfers that have ended.
void CurlDriver::act(curl_socket_t socket, int event) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, event, &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    const CURLcode code = message->data.result;
    void* owner = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    static_cast<Owner*>(owner)->on_ended(code);
  }
}

}  // namespace freshet::net
