// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/blob_upload.hpp"

#include "freshet/base/text.hpp"
#include "freshet/oci/distribution/location.hpp"
#include "freshet/oci/distribution/requests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

constexpr std::uint64_t k_piece = 64UL * 1024 * 1024;  // streamed, so it costs no memory
constexpr std::uint64_t k_buffered_piece = 16UL * 1024 * 1024;  // of what has no known length
constexpr std::uint64_t k_max_buffered_piece = 64UL * 1024 * 1024;
constexpr std::uint64_t k_worth_remembering = 8UL * 1024 * 1024;

bool wants_another_way(int status) {
  return status == 405 || status == 411 || status == 415 || status == 501;
}

/// `name=value` of a `Set-Cookie` value. Its attributes are not needed: it goes back to the session
/// that it came from and nowhere else.
std::optional<std::pair<std::string, std::string>> cookie_of(const std::string& header) {
  const std::string pair(trim(header.substr(0, header.find(';'))));
  const std::size_t equals = pair.find('=');
  if (equals == std::string::npos || equals == 0) {
    return std::nullopt;
  }
  return std::pair(pair.substr(0, equals), pair.substr(equals + 1));
}

}  // namespace

BlobUpload::BlobUpload(
    std::shared_ptr<RegistryConnection> connection, std::string repository, BlobSource& source)
    : connection_(std::move(connection)),
      repository_(std::move(repository)),
      source_(source),
      known_(source.known()),
      attempts_(connection_->options(), connection_->domain()) {}

std::string BlobUpload::name() const {
  return known_ ? named(repository_, known_->digest.to_string()) : repository_;
}

std::optional<UploadKey> BlobUpload::journal_key() const {
  const bool is_kept = connection_->options().journal != nullptr && known_ &&
                       known_->size_bytes >= k_worth_remembering;
  if (!is_kept) {
    return std::nullopt;
  }
  return UploadKey{connection_->domain(), repository_, known_->digest};
}

Trouble BlobUpload::refused(const net::HttpResponse& response, bool is_worth_retrying) const {
  const Request about{
      fmt::format("the upload of a blob to '{}'", name()),
      fmt::format("repository '{}'", repository_)};
  Error error = registry_error(connection_->domain(), about, response);
  if (response.status == 413) {
    Error explained = std::move(error).with_hint(
        "the registry, or a proxy before it, limits the size of a request: raise that limit "
        "(nginx: client_max_body_size)");
    return Trouble{std::make_exception_ptr(explained), is_worth_retrying, std::nullopt};
  }
  return Trouble{std::make_exception_ptr(error), is_worth_retrying, wanted_rest(response)};
}

Awaitable<Descriptor> BlobUpload::run(Ctx ctx) {
  if (const auto key = journal_key()) {
    if (const auto unfinished = connection_->options().journal->find(*key)) {
      session_ = unfinished->location;
      is_offset_uncertain_ = true;
    }
  }
  for (;;) {
    const std::optional<Trouble> trouble = co_await advance(ctx);
    if (!trouble) {
      drop_session();
      co_return *known_;
    }
    const bool goes_on =
        trouble->is_worth_retrying && co_await attempts_.wait_for_next(ctx, trouble->retry_after);
    if (!goes_on) {
      std::rethrow_exception(trouble->failure);
    }
  }
}

/// One go through all that is yet to be done.
Awaitable<std::optional<Trouble>> BlobUpload::advance(Ctx ctx) {
  const bool is_settled = is_commit_unsettled_ && co_await is_there(ctx);
  if (is_settled) {
    co_return std::nullopt;
  }
  is_commit_unsettled_ = false;
  if (session_ && is_offset_uncertain_) {
    if (auto trouble = co_await ask_offset(ctx)) {
      co_return trouble;
    }
  }
  if (!session_) {
    if (auto trouble = co_await begin(ctx)) {
      co_return trouble;
    }
  }
  const bool is_small = known_ && known_->size_bytes <= k_small_size && offset_ == 0;
  if (is_small || way_ == Way::whole) {
    co_return co_await send_whole(ctx);
  }
  if (auto trouble = co_await send_rest(ctx)) {
    co_return trouble;
  }
  co_return co_await commit(ctx, commit_request());
}

Awaitable<Attempted<net::HttpResponse>> BlobUpload::exchange(Ctx ctx, net::HttpRequest request) {
  if (!cookies_.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [cookie, value] : cookies_) {
      pairs.push_back(cookie + "=" + value);
    }
    request.headers.set("Cookie", join(pairs, "; "));
  }
  auto sending = connection_->send_once(ctx, std::move(request), push_scope(repository_));
  auto attempted = co_await attempt(std::move(sending));
  is_reachable_ = attempted.answer.has_value();
  if (attempted.answer) {
    for (const std::string& header : attempted.answer->headers.find_all("Set-Cookie")) {
      if (const auto cookie = cookie_of(header)) {
        cookies_.insert_or_assign(cookie->first, cookie->second);
      }
    }
  }
  co_return attempted;
}

Awaitable<std::optional<Trouble>> BlobUpload::begin(Ctx ctx) {
  offset_ = 0;
  is_offset_uncertain_ = false;
  cookies_.clear();
  net::HttpRequest request;
  request.method = "POST";
  request.url = fmt::format("/v2/{}/blobs/uploads/", repository_);
  const std::string asked = request.url;
  auto attempted = co_await exchange(ctx, std::move(request));
  if (attempted.trouble) {
    co_return attempted.trouble;
  }
  const net::HttpResponse& response = *attempted.answer;
  if (response.status != 202) {
    co_return refused(response, is_worth_retrying(response));
  }
  if (!response.headers.find("Location")) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("'{}' does not say where a blob is to be uploaded", connection_->domain()));
  }
  min_piece_ = parse_number(response.headers.find("OCI-Chunk-Min-Length").value_or("")).value_or(0);
  co_await take_location(ctx, response, asked);
  confirm(0);
  co_return std::nullopt;
}

/// An answer without a location leaves the one that was asked.
Awaitable<void> BlobUpload::take_location(Ctx ctx, net::HttpResponse response, std::string asked) {
  const auto location = response.headers.find("Location");
  if (!location) {
    co_return;
  }
  const net::Url registry = co_await connection_->origin(ctx);
  const auto base = net::parse_url(registry.origin() + asked);
  const auto url = base ? resolve_location(*base, *location) : std::nullopt;
  if (!url) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("'{}' wants an upload sent to a malformed URL", connection_->domain()));
  }
  // Scheme and port may differ: registries behind a proxy often do not know their own.
  if (url->host != registry.host || url->has_userinfo) {
    throw Error(
        ErrorCode::upstream_denied,
        fmt::format(
            "'{}' wants an upload sent to '{}', which is another host",
            connection_->domain(),
            url->authority()));
  }
  session_ = url->target();
}

void BlobUpload::confirm(std::uint64_t offset) {
  offset_ = offset;
  is_offset_uncertain_ = false;
  if (offset > best_offset_) {
    attempts_.note_progress(offset - best_offset_);
    best_offset_ = offset;
    denials_ = 0;
  }
  if (const auto key = journal_key()) {
    connection_->options().journal->remember(*key, UnfinishedUpload{*session_, offset_});
  }
}

void BlobUpload::drop_session() {
  session_.reset();
  offset_ = 0;
  is_offset_uncertain_ = false;
  if (const auto key = journal_key()) {
    connection_->options().journal->forget(*key);
  }
}

net::HttpRequest BlobUpload::session_request(std::string method) const {
  net::HttpRequest request;
  request.method = std::move(method);
  request.url = *session_;
  return request;
}

Awaitable<std::optional<Trouble>> BlobUpload::ask_offset(Ctx ctx) {
  auto attempted = co_await exchange(ctx, session_request("GET"));
  if (attempted.trouble) {
    co_return attempted.trouble;
  }
  const net::HttpResponse& response = *attempted.answer;
  if (is_worth_retrying(response)) {
    co_return refused(response, true);
  }
  const auto offset = uploaded_bytes(response);
  const bool is_sound = is_success_status(response.status) && offset &&
                        !(known_ && *offset > known_->size_bytes) &&
                        !(!known_ && *offset > content_.size());
  if (is_sound) {
    co_await take_location(ctx, response, *session_);
    confirm(*offset);
    co_return std::nullopt;
  }
  if (response.status == 401 || response.status == 403) {
    co_return refused(response, false);
  }
  drop_session();
  way_ = way_ == Way::streamed ? Way::in_pieces : way_;
  co_return std::nullopt;
}

std::uint64_t BlobUpload::piece_size() const {
  if (known_) {
    return std::max(k_piece, min_piece_);
  }
  return std::clamp(min_piece_, k_buffered_piece, k_max_buffered_piece);
}

Awaitable<std::optional<Trouble>> BlobUpload::send_rest(Ctx ctx) {
  const std::optional<std::uint64_t> size =
      known_ ? std::optional(known_->size_bytes) : std::nullopt;
  if (size && offset_ == *size) {
    co_return std::nullopt;
  }
  auto stream = co_await source_.open(ctx, offset_);
  UploadFeed feed(std::move(stream), offset_, size, content_);
  for (bool is_last = false; !is_last;) {
    if (auto trouble = co_await send_piece(ctx, feed, &is_last)) {
      co_return trouble;
    }
  }
  if (!known_) {
    known_ = Descriptor{"", content_.finish(), content_.size()};
  }
  co_return std::nullopt;
}

/// Sends the next piece, which may be all that is left.
Awaitable<std::optional<Trouble>> BlobUpload::send_piece(Ctx ctx, UploadFeed& feed, bool* is_last) {
  net::HttpRequest request = session_request("PATCH");
  request.headers.add("Content-Type", "application/octet-stream");
  const std::uint64_t start = feed.position();
  std::optional<std::uint64_t> length;
  if (known_) {
    const std::uint64_t rest = known_->size_bytes - start;
    length = way_ == Way::streamed ? rest : std::min(rest, piece_size());
    *is_last = *length == rest;
    feed.begin_piece(length);
    request.body_stream = &feed;
    request.body_stream_length = length;
  } else if (way_ == Way::streamed && start == 0) {
    *is_last = true;
    feed.begin_piece(std::nullopt);
    request.body_stream = &feed;
  } else {
    request.body = co_await feed.read_up_to(piece_size());
    length = request.body.size();
    *is_last = feed.is_at_end();
    if (*length == 0) {
      co_return std::nullopt;
    }
  }
  if (length && (start > 0 || way_ == Way::in_pieces)) {
    request.headers.add("Content-Range", fmt::format("{}-{}", start, start + *length - 1));
  }
  is_offset_uncertain_ = true;
  const std::string asked = request.url;
  auto attempted = co_await exchange(ctx, std::move(request));
  if (feed.failure()) {
    is_reachable_ = true;
    std::rethrow_exception(feed.failure());
  }
  if (attempted.trouble) {
    co_return attempted.trouble;
  }
  const net::HttpResponse& response = *attempted.answer;
  if (is_success_status(response.status)) {
    co_await take_location(ctx, response, asked);
  }
  co_return judge_piece(response, feed.position());
}

std::optional<Trouble> BlobUpload::judge_piece(
    const net::HttpResponse& response, std::uint64_t sent_to) {
  if (is_success_status(response.status)) {
    const auto has = uploaded_bytes(response);
    if (!has || *has == sent_to || sent_to <= 1) {
      confirm(sent_to);
      return std::nullopt;
    }
    // It kept a part only: the session is asked, and goes on from there.
    return refused(response, true);
  }
  if (response.status == 401) {
    return refused(response, ++denials_ < k_max_denials);
  }
  if (wants_another_way(response.status) && way_ != Way::whole) {
    const bool was_streamed = way_ == Way::streamed;
    way_ = known_ ? Way::whole : Way::in_pieces;
    drop_session();
    return refused(response, known_ || was_streamed);
  }
  if (is_upload_lost(response)) {
    drop_session();
    way_ = way_ == Way::streamed ? Way::in_pieces : way_;
    return refused(response, true);
  }
  return refused(response, is_worth_retrying(response));
}

}  // namespace freshet::oci
