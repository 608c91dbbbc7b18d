// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_http_client.hpp"

#include "freshet/net/curl_transfer.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/system_error.hpp>

#include <map>

namespace freshet::net {
namespace {

void initialise_curl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    throw Error(ErrorCode::internal, curl_easy_strerror(code));
  }
}

/// One of curl's sockets, which stays curl's own: it is let go of, never closed.
struct SocketWatch {
  explicit SocketWatch(const asio::strand<asio::any_io_executor>& strand) : descriptor(strand) {}
  ~SocketWatch() {
    if (descriptor.is_open()) {
      descriptor.release();
    }
  }
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  asio::posix::stream_descriptor descriptor;
  int wanted = CURL_POLL_NONE;
  bool is_reading = false;
  bool is_writing = false;
};

/// A transfer on its way: when `code` is set, `done` wakes whoever waits for it.
struct Pending {
  explicit Pending(const asio::strand<asio::any_io_executor>& strand)
      : done(strand, asio::steady_timer::time_point::max()) {}

  asio::steady_timer done;
  std::optional<CURLcode> code;
};

}  // namespace

/// The curl multi handle on a strand. Everything but the constructor runs on that strand.
class CurlDriver : public std::enable_shared_from_this<CurlDriver> {
 public:
  explicit CurlDriver(const asio::any_io_executor& executor)
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
  }

  ~CurlDriver() {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
    watches_.clear();
    curl_multi_cleanup(multi_);
  }

  CurlDriver(const CurlDriver&) = delete;
  CurlDriver& operator=(const CurlDriver&) = delete;

  const asio::strand<asio::any_io_executor>& strand() const { return strand_; }

  /// `self` keeps the driver alive while the transfer is under way.
  static Awaitable<HttpResponse> run(
      std::shared_ptr<CurlDriver> self, Ctx ctx, HttpRequest request) {
    CurlTransfer transfer(ctx, std::move(request));
    Pending pending(self->strand_);
    const Attached attached(*self, transfer, pending);
    if (!pending.code) {
      boost::system::error_code woken;  // "aborted" both when done and when cancelled
      co_await pending.done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (!pending.code) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return transfer.take_response(*pending.code);
  }

 private:
  /// Keeps a transfer inside the multi handle for as long as it lives.
  class Attached {
   public:
    Attached(CurlDriver& driver, CurlTransfer& transfer, Pending& pending)
        : driver_(driver), handle_(transfer.handle()) {
      curl_easy_setopt(handle_, CURLOPT_PRIVATE, static_cast<void*>(&pending));
      const CURLMcode code = curl_multi_add_handle(driver_.multi_, handle_);
      if (code != CURLM_OK) {
        throw Error(ErrorCode::internal, curl_multi_strerror(code));
      }
    }
    ~Attached() { curl_multi_remove_handle(driver_.multi_, handle_); }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;

   private:
    CurlDriver& driver_;
    CURL* handle_;
  };

  static int on_socket(CURL*, curl_socket_t socket, int wanted, void* self, void*) {
    static_cast<CurlDriver*>(self)->watch(socket, wanted);
    return 0;
  }

  static int on_timer(CURLM*, long timeout_ms, void* self) {
    static_cast<CurlDriver*>(self)->set_timer(timeout_ms);
    return 0;
  }

  void watch(curl_socket_t socket, int wanted) {
    if (wanted == CURL_POLL_REMOVE) {
      watches_.erase(socket);  // waits that are under way keep the object, not the descriptor
      return;
    }
    auto& entry = watches_[socket];
    if (entry == nullptr) {
      entry = std::make_shared<SocketWatch>(strand_);
      entry->descriptor.assign(socket);
    }
    entry->wanted = wanted;
    wait_as_wanted(socket, entry);
  }

  void wait_as_wanted(curl_socket_t socket, const std::shared_ptr<SocketWatch>& entry) {
    if ((entry->wanted & CURL_POLL_IN) != 0 && !entry->is_reading) {
      entry->is_reading = true;
      wait_for(socket, entry, asio::posix::stream_descriptor::wait_read, CURL_CSELECT_IN);
    }
    if ((entry->wanted & CURL_POLL_OUT) != 0 && !entry->is_writing) {
      entry->is_writing = true;
      wait_for(socket, entry, asio::posix::stream_descriptor::wait_write, CURL_CSELECT_OUT);
    }
  }

  void wait_for(
      curl_socket_t socket,
      const std::shared_ptr<SocketWatch>& entry,
      asio::posix::stream_descriptor::wait_type type,
      int event) {
    entry->descriptor.async_wait(
        type,
        [weak = weak_from_this(), weak_entry = std::weak_ptr(entry), socket, event](
            boost::system::error_code failure) {
          const auto self = weak.lock();
          const auto watched = weak_entry.lock();
          if (self != nullptr && watched != nullptr && !failure) {
            self->on_ready(socket, watched, event);
          }
        });
  }

  void on_ready(curl_socket_t socket, const std::shared_ptr<SocketWatch>& entry, int event) {
    (event == CURL_CSELECT_IN ? entry->is_reading : entry->is_writing) = false;
    act(socket, event);
    const auto found = watches_.find(socket);
    if (found != watches_.end() && found->second == entry) {
      wait_as_wanted(socket, entry);
    }
  }

  void set_timer(long timeout_ms) {
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

  /// Lets curl work, then wakes those whose transfers have ended.
  void act(curl_socket_t socket, int event) {
    int running = 0;
    curl_multi_socket_action(multi_, socket, event, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) {
        continue;
      }
      void* owner = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      auto& pending = *static_cast<Pending*>(owner);
      pending.code = message->data.result;
      pending.done.cancel();
    }
  }

  asio::strand<asio::any_io_executor> strand_;
  asio::steady_timer timer_;
  CURLM* multi_ = nullptr;
  std::map<curl_socket_t, std::shared_ptr<SocketWatch>> watches_;
};

CurlHttpClient::CurlHttpClient(asio::any_io_executor executor)
    : driver_(std::make_shared<CurlDriver>(executor)) {}

CurlHttpClient::~CurlHttpClient() = default;

Awaitable<HttpResponse> CurlHttpClient::send(Ctx ctx, HttpRequest request) {
  co_return co_await asio::co_spawn(
      driver_->strand(), CurlDriver::run(driver_, ctx, std::move(request)), asio::use_awaitable);
}

}  // namespace freshet::net
