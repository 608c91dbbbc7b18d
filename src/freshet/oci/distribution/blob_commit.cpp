// SPDX-License-Identifier: Apache-2.0
// How an upload ends: committed, found to be there, or abandoned.
#include "freshet/oci/distribution/blob_download.hpp"
#include "freshet/oci/distribution/blob_upload.hpp"
#include "freshet/oci/distribution/requests.hpp"

#include <fmt/format.h>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds k_commit_limit = 5min;  // registries hash or copy large blobs then
constexpr int k_max_digest_refusals = 2;

std::string with_query(const std::string& target, std::string_view pair) {
  return fmt::format("{}{}{}", target, target.find('?') == std::string::npos ? "?" : "&", pair);
}

}  // namespace

bool is_success_status(int status) {
  return status >= 200 && status < 300;
}

bool is_upload_lost(const net::HttpResponse& response) {
  const int status = response.status;
  return status == 404 || status == 410 || status == 416 || status == 409 ||
         (status == 400 && !is_rate_limit(response));
}

net::HttpRequest BlobUpload::commit_request() const {
  net::HttpRequest request = session_request("PUT");
  request.url = with_query(request.url, "digest=" + net::url_encode(known_->digest.to_string()));
  request.stall_limit = k_commit_limit;
  request.slow_limit = 2 * k_commit_limit;
  return request;
}

/// All of the blob in the request that commits it.
Awaitable<std::optional<Trouble>> BlobUpload::send_whole(Ctx ctx) {
  auto stream = co_await source_.open(ctx, 0);
  UploadFeed feed(std::move(stream), 0, known_->size_bytes, content_);
  net::HttpRequest request = commit_request();
  request.headers.add("Content-Type", "application/octet-stream");
  if (known_->size_bytes <= k_small_size) {
    request.body = co_await feed.read_up_to(known_->size_bytes);
  } else {
    feed.begin_piece(known_->size_bytes);
    request.body_stream = &feed;
    request.body_stream_length = known_->size_bytes;
  }
  auto trouble = co_await commit(ctx, std::move(request));
  if (feed.failure()) {
    std::rethrow_exception(feed.failure());
  }
  if (trouble && session_) {
    drop_session();  // how much of it arrived does not matter: it goes as a whole or not at all
  }
  co_return trouble;
}

Awaitable<std::optional<Trouble>> BlobUpload::commit(Ctx ctx, net::HttpRequest request) {
  auto attempted = co_await exchange(ctx, std::move(request));
  if (attempted.trouble) {
    is_commit_unsettled_ = true;
    co_return co_await settle(ctx, *attempted.trouble, 0);
  }
  const net::HttpResponse& response = *attempted.answer;
  if (is_success_status(response.status) && response.status != 202) {
    claimed_digest(connection_->domain(), response, known_->digest.to_string());
    co_return std::nullopt;
  }
  is_commit_unsettled_ = is_worth_retrying(response);
  const bool is_worth_another =
      is_worth_retrying(response) || is_upload_lost(response) || response.status == 401;
  co_return co_await settle(ctx, refused(response, is_worth_another), response.status);
}

/// After a commit that was refused or lost: another upload of the same blob may have been faster,
/// or the answer was late. What is there is uploaded.
Awaitable<std::optional<Trouble>> BlobUpload::settle(Ctx ctx, Trouble trouble, int status) {
  const bool has_it = co_await is_there(ctx);
  if (has_it) {
    co_return std::nullopt;
  }
  is_offset_uncertain_ = true;
  if (status == 401 && ++denials_ >= k_max_denials) {
    trouble.is_worth_retrying = false;
  }
  if (status == 400 && ++digest_refusals_ >= k_max_digest_refusals) {
    trouble.is_worth_retrying = false;  // it is the content then, not the way
  }
  const bool is_lost =
      status == 400 || status == 404 || status == 409 || status == 410 || status == 416;
  if (is_lost) {
    drop_session();
  }
  co_return trouble;
}

Awaitable<bool> BlobUpload::is_there(Ctx ctx) {
  try {
    const auto size = co_await find_blob_size(
        connection_, ctx, repository_, known_->digest, push_scope(repository_), false);
    co_return size.has_value() && *size == known_->size_bytes;
  } catch (const Error&) {
    co_return false;  // the failure of the commit is the one to tell
  }
}

Awaitable<void> BlobUpload::abandon(Ctx ctx, std::exception_ptr failure) {
  bool may_be_continued = false;
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    may_be_continued = journal_key().has_value() && is_retryable(error.code());
  } catch (...) {
    may_be_continued = false;  // cancelled
  }
  if (!session_ || may_be_continued || !is_reachable_) {
    co_return;
  }
  net::HttpRequest request = session_request("DELETE");
  drop_session();
  try {
    co_await exchange(ctx, std::move(request));
  } catch (const std::exception&) {
    co_return;  // registries collect unfinished uploads by themselves
  }
}

}  // namespace freshet::oci
