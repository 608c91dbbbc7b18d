// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/testing/run.hpp"
#include "freshet/oci/distribution/client.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace freshet::oci::testing {

/// A client of `r.example` that tries again without losing time, and what it did meanwhile.
class PatientClient {
 public:
  explicit PatientClient(
      net::HttpClient& http,
      std::shared_ptr<CredentialSource> credentials = nullptr,
      UploadJournal* journal = nullptr)
      : client_(http, "r.example", std::move(credentials), options(journal)) {}
  PatientClient(const PatientClient&) = delete;
  PatientClient& operator=(const PatientClient&) = delete;

  RegistryClient* operator->() { return &client_; }
  /// How long it would have waited, oldest first.
  const std::vector<std::chrono::milliseconds>& rests() const { return *rests_; }
  const std::vector<std::string>& notices() const { return *notices_; }

 private:
  static Awaitable<void> note(
      std::shared_ptr<std::vector<std::chrono::milliseconds>> rests, Ctx::Clock::duration rest) {
    rests->push_back(std::chrono::duration_cast<std::chrono::milliseconds>(rest));
    co_return;
  }

  RegistryOptions options(UploadJournal* journal) const {
    RegistryOptions out;
    out.journal = journal;
    out.retry.max_attempts = 3;
    out.random = [] { return 0.5; };
    out.rest = [rests = rests_](Ctx::Clock::duration rest) { return note(rests, rest); };
    out.notice = [notices = notices_](std::string_view line) { notices->emplace_back(line); };
    return out;
  }

  std::shared_ptr<std::vector<std::chrono::milliseconds>> rests_ =
      std::make_shared<std::vector<std::chrono::milliseconds>>();
  std::shared_ptr<std::vector<std::string>> notices_ = std::make_shared<std::vector<std::string>>();
  RegistryClient client_;
};

/// Runs `operation` and gives its failure.
template <class T>
Error failure_of(Awaitable<T> operation) {
  try {
    net::testing::run(std::move(operation));
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::internal, "nothing was thrown");
}

/// All bytes of a stream, read `piece` bytes at a time.
inline Awaitable<std::string> read_all(
    std::unique_ptr<net::ByteStream> stream, std::size_t piece = 4096) {
  std::string all;
  std::string buffer(piece, '\0');
  for (;;) {
    const std::size_t count = co_await stream->read(asio::buffer(buffer));
    if (count == 0) {
      co_return all;
    }
    all.append(buffer, 0, count);
  }
}

}  // namespace freshet::oci::testing
