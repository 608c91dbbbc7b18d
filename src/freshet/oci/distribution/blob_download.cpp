// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/blob_download.hpp"

#include "freshet/base/text.hpp"
#include "freshet/oci/distribution/location.hpp"
#include "freshet/oci/distribution/requests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

constexpr std::size_t k_skip_bytes = 64UL * 1024;

net::HttpRequest blob_request(
    std::string method, const std::string& repository, const Digest& digest) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.url = fmt::format("/v2/{}/blobs/{}", repository, digest.to_string());
  return request;
}

Request about_blob(const std::string& repository, const Digest& digest) {
  const std::string name = named(repository, digest.to_string());
  return Request{fmt::format("reading the blob '{}'", name), fmt::format("'{}'", name)};
}

}  // namespace

Awaitable<std::optional<std::uint64_t>> find_blob_size(
    std::shared_ptr<RegistryConnection> connection,
    Ctx ctx,
    std::string repository,
    Digest digest,
    std::string scope,
    bool is_patient) {
  Attempts attempts(connection->options(), connection->domain());
  for (;;) {
    auto request = blob_request("HEAD", repository, digest);
    auto fetching = connection->fetch_once(ctx, std::move(request), scope);
    auto attempted = co_await attempt(std::move(fetching));
    if (attempted.trouble) {
      const Trouble trouble = *attempted.trouble;
      const bool goes_on = is_patient && trouble.is_worth_retrying &&
                           co_await attempts.wait_for_next(ctx, trouble.retry_after);
      if (!goes_on) {
        std::rethrow_exception(trouble.failure);
      }
      continue;
    }
    const net::HttpResponse head = attempted.answer->head;
    if (head.status == 200) {
      claimed_digest(connection->domain(), head, digest.to_string());
      co_return length_of(head);
    }
    if (head.status == 404) {
      co_return std::nullopt;
    }
    const bool goes_on = is_patient && is_worth_retrying(head) &&
                         co_await attempts.wait_for_next(ctx, wanted_rest(head));
    if (!goes_on) {
      throw registry_error(connection->domain(), about_blob(repository, digest), head);
    }
  }
}

BlobDownload::BlobDownload(
    std::shared_ptr<RegistryConnection> connection,
    Ctx ctx,
    std::string repository,
    Descriptor blob,
    std::uint64_t offset)
    : connection_(std::move(connection)),
      ctx_(ctx),
      repository_(std::move(repository)),
      blob_(std::move(blob)),
      position_(offset),
      attempts_(connection_->options(), connection_->domain()) {
  if (offset == 0) {
    hasher_.emplace(blob_.digest);
  }
}

void BlobDownload::corrupt(std::string problem) const {
  throw Error(
      ErrorCode::corrupt_data,
      fmt::format(
          "'{}' sent the blob '{}' {}",
          connection_->domain(),
          named(repository_, blob_.digest.to_string()),
          problem));
}

Trouble BlobDownload::cut_short() const {
  net::TransportError error(
      net::TransportProblem::closed,
      ErrorCode::unavailable,
      fmt::format(
          "'{}' ended the blob '{}' after {} of {} bytes",
          connection_->domain(),
          named(repository_, blob_.digest.to_string()),
          position_,
          blob_.size_bytes));
  return Trouble{std::make_exception_ptr(error), true, std::nullopt};
}

/// How many bytes of the answer come before the position that is wanted; nullopt: it is no part of
/// the blob.
std::optional<std::uint64_t> BlobDownload::require_sound_start(
    const net::HttpResponse& head) const {
  if (head.status == 206) {
    const auto range = parse_content_range(head.headers.find("Content-Range").value_or(""));
    if (!range || range->first > position_ || (range->size && *range->size != blob_.size_bytes)) {
      corrupt("in another part than it was asked for");
    }
    return position_ - range->first;
  }
  if (head.status != 200) {
    return std::nullopt;
  }
  const auto length = length_of(head);
  if (length && *length != blob_.size_bytes) {
    corrupt(fmt::format("with {} instead of {} bytes", *length, blob_.size_bytes));
  }
  return position_;  // it does not know ranges
}

Awaitable<std::optional<Trouble>> BlobDownload::skip(std::uint64_t count) {
  std::string buffer(std::min<std::uint64_t>(count, k_skip_bytes), '\0');
  while (count > 0) {
    const std::size_t part = std::min<std::uint64_t>(count, buffer.size());
    auto reading = body_->read(asio::buffer(buffer.data(), part));
    auto attempted = co_await attempt(std::move(reading));
    if (attempted.trouble) {
      co_return attempted.trouble;
    }
    if (*attempted.answer == 0) {
      co_return cut_short();
    }
    count -= *attempted.answer;
  }
  co_return std::nullopt;
}

Awaitable<std::optional<Trouble>> BlobDownload::try_connect() {
  net::HttpRequest request = blob_request("GET", repository_, blob_.digest);
  if (position_ > 0) {
    request.headers.add("Range", fmt::format("bytes={}-", position_));
  }
  auto fetching = connection_->fetch_once(ctx_, std::move(request), pull_scope(repository_));
  auto attempted = co_await attempt(std::move(fetching));
  if (attempted.trouble) {
    co_return attempted.trouble;
  }
  const net::HttpResponse& head = attempted.answer->head;
  const auto surplus = require_sound_start(head);
  if (!surplus) {
    const Error error =
        registry_error(connection_->domain(), about_blob(repository_, blob_.digest), head);
    co_return Trouble{std::make_exception_ptr(error), is_worth_retrying(head), wanted_rest(head)};
  }
  if (head.status == 200) {
    claimed_digest(connection_->domain(), head, blob_.digest.to_string());
  }
  body_ = std::move(attempted.answer->body);
  co_return co_await skip(*surplus);
}

Awaitable<void> BlobDownload::connect() {
  if (position_ > 0 && position_ >= blob_.size_bytes) {
    co_return;  // there is nothing left to ask for
  }
  for (;;) {
    const std::optional<Trouble> trouble = co_await try_connect();
    if (!trouble) {
      co_return;
    }
    body_.reset();
    const bool goes_on =
        trouble->is_worth_retrying && co_await attempts_.wait_for_next(ctx_, trouble->retry_after);
    if (!goes_on) {
      std::rethrow_exception(trouble->failure);
    }
  }
}

void BlobDownload::take(std::string_view piece) {
  if (piece.size() > blob_.size_bytes - position_) {
    body_.reset();
    corrupt(fmt::format("with more than its {} bytes", blob_.size_bytes));
  }
  if (hasher_) {
    hasher_->update(piece);
  }
  position_ += piece.size();
  attempts_.note_progress(piece.size());
}

void BlobDownload::require_sound_end() {
  body_.reset();
  if (!hasher_) {
    return;
  }
  const Digest digest = hasher_->finish();
  hasher_.reset();
  if (digest != blob_.digest) {
    corrupt(fmt::format("with other bytes: their digest is '{}'", digest.to_string()));
  }
}

Awaitable<std::size_t> BlobDownload::read(asio::mutable_buffer buffer) {
  for (;;) {
    if (body_ == nullptr) {
      if (position_ >= blob_.size_bytes) {
        require_sound_end();
        co_return 0;
      }
      co_await connect();
    }
    auto reading = body_->read(buffer);
    auto attempted = co_await attempt(std::move(reading));
    if (attempted.answer && *attempted.answer > 0) {
      take(std::string_view(static_cast<const char*>(buffer.data()), *attempted.answer));
      co_return *attempted.answer;
    }
    body_.reset();
    if (position_ == blob_.size_bytes) {
      continue;  // all is there, however the connection ended
    }
    const Trouble trouble = attempted.trouble ? *attempted.trouble : cut_short();
    const bool goes_on =
        trouble.is_worth_retrying && co_await attempts_.wait_for_next(ctx_, trouble.retry_after);
    if (!goes_on) {
      std::rethrow_exception(trouble.failure);
    }
  }
}

}  // namespace freshet::oci
