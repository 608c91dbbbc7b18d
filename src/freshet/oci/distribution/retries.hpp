// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/oci/distribution/options.hpp"

#include <exception>
#include <optional>
#include <string>

namespace freshet::oci {

/// Whether `response` says "too often", by its status or, as GitHub and others do with 403, in its
/// words.
bool is_rate_limit(const net::HttpResponse& response);

/// Whether the same request may get a better answer a little later.
bool is_worth_retrying(const net::HttpResponse& response);
bool is_worth_retrying(const net::TransportError& failure);

/// The rest that the server asks for.
std::optional<std::chrono::seconds> wanted_rest(const net::HttpResponse& response);

/// A server beside the registry (its token server, its storage) is in trouble.
class ServerTrouble : public Error {
 public:
  ServerTrouble(Error error, const net::HttpResponse& response);
  ServerTrouble(
      Error error, bool is_worth_retrying, std::optional<std::chrono::seconds> retry_after);

  bool is_worth_retrying() const { return is_worth_retrying_; }
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  bool is_worth_retrying_;
  std::optional<std::chrono::seconds> retry_after_;
};

/// What kept something from being done, and whether it may go well the next time.
struct Trouble {
  std::exception_ptr failure;
  bool is_worth_retrying = false;
  std::optional<std::chrono::seconds> retry_after;
};

/// How one request ended: exactly one of the two is there.
template <class T>
struct Attempted {
  std::optional<T> answer;
  std::optional<Trouble> trouble;
};

/// Awaits `request` and makes a missing answer a value; every other failure is thrown on.
template <class T>
Awaitable<Attempted<T>> attempt(Awaitable<T> request) {
  Attempted<T> out;
  try {
    out.answer.emplace(co_await std::move(request));
  } catch (const net::TransportError& error) {
    out.trouble = Trouble{std::current_exception(), is_worth_retrying(error), std::nullopt};
  } catch (const ServerTrouble& error) {
    out.trouble = Trouble{std::current_exception(), error.is_worth_retrying(), error.retry_after()};
  }
  co_return out;
}

/// Counts the failed attempts at one thing and waits between them, as the policy of `options` and
/// the server demand. Borrows `options`.
class Attempts {
 public:
  Attempts(const RegistryOptions& options, std::string domain)
      : options_(options), domain_(std::move(domain)) {}

  /// One more attempt failed. Waits, unless it was the last or no time is left for another: false.
  /// Throws rate_limited at once when the server demands a rest that ends after the deadline or is
  /// longer than the policy has patience for.
  Awaitable<bool> wait_for_next(Ctx ctx, std::optional<std::chrono::seconds> retry_after);
  /// `bytes` more are there. As soon as this is worth a break: count from the start again. What is
  /// given byte by byte, with breaks, comes to an end.
  void note_progress(std::uint64_t bytes);

 private:
  const RegistryOptions& options_;
  std::string domain_;
  int failed_ = 0;
  std::uint64_t gained_bytes_ = 0;  // since it was counted from the start
};

}  // namespace freshet::oci
