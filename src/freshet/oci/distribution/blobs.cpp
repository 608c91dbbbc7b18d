// SPDX-License-Identifier: Apache-2.0
// Blobs in memory, and the parts of RegistryClient that move no large ones.
#include "freshet/oci/distribution/blobs.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/memory_stream.hpp"
#include "freshet/oci/distribution/blob_download.hpp"
#include "freshet/oci/distribution/blob_upload.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/oci/distribution/location.hpp"
#include "freshet/oci/distribution/requests.hpp"
#include "freshet/oci/distribution/upload_journal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;

constexpr auto k_abandon_limit = 5s;

}  // namespace

MemoryBlob::MemoryBlob(std::string media_type, std::string bytes)
    : descriptor_{std::move(media_type), Digest::of(bytes), bytes.size()},
      bytes_(std::move(bytes)) {}

Awaitable<std::unique_ptr<net::ByteStream>> MemoryBlob::open(Ctx, std::uint64_t offset) {
  const std::size_t start = std::min<std::uint64_t>(offset, bytes_.size());
  co_return std::make_unique<net::MemoryStream>(bytes_.substr(start));
}

Awaitable<std::optional<std::uint64_t>> RegistryClient::find_blob(
    Ctx ctx, std::string repository, Digest digest) {
  require_repository(repository);
  const auto size =
      co_await find_blob_size(connection_, ctx, repository, digest, pull_scope(repository));
  UploadJournal* const journal = connection_->options().journal;
  if (size && journal != nullptr) {
    // A program that was killed may have committed it without having seen that.
    const UploadKey key{connection_->domain(), repository, digest};
    if (journal->find(key)) {
      journal->forget(key);
    }
  }
  co_return size;
}

Awaitable<std::unique_ptr<net::ByteStream>> RegistryClient::open_blob(
    Ctx ctx, std::string repository, Descriptor blob, std::uint64_t offset) {
  require_repository(repository);
  auto download = std::make_unique<BlobDownload>(connection_, ctx, repository, blob, offset);
  co_await download->connect();
  co_return download;
}

Awaitable<std::string> RegistryClient::get_blob(
    Ctx ctx, std::string repository, Descriptor blob, std::size_t max_bytes) {
  if (blob.size_bytes > max_bytes) {
    throw Error(
        ErrorCode::too_large,
        fmt::format(
            "'{}' has {}, the limit is {}",
            named(repository, blob.digest.to_string()),
            human_size(blob.size_bytes),
            human_size(max_bytes)));
  }
  const auto stream = co_await open_blob(ctx, repository, blob);
  std::string bytes(blob.size_bytes, '\0');
  std::size_t filled = 0;
  char beyond = 0;
  for (;;) {
    const bool is_full = filled == bytes.size();
    const asio::mutable_buffer room =
        is_full ? asio::mutable_buffer(&beyond, 1)
                : asio::buffer(bytes.data() + filled, bytes.size() - filled);
    const std::size_t count = co_await stream->read(room);
    if (count == 0) {
      co_return bytes;
    }
    filled += count;
  }
}

Awaitable<bool> RegistryClient::mount_blob(
    Ctx ctx, std::string repository, Digest digest, std::string from_repository) {
  require_repository(repository);
  require_repository(from_repository);
  const std::string scope = push_scope(repository) + " " + pull_scope(from_repository);
  net::HttpRequest request;
  request.method = "POST";
  request.url = fmt::format(
      "/v2/{}/blobs/uploads/?mount={}&from={}",
      repository,
      net::url_encode(digest.to_string()),
      net::url_encode(from_repository));
  net::HttpResponse response;
  try {
    response = co_await connection_->send(ctx, std::move(request), scope);
  } catch (const net::TransportError&) {
    throw;
  } catch (const Error& error) {
    if (error.http_status() != 401 && error.http_status() != 403) {
      throw;
    }
    co_return false;  // no token for both repositories
  }
  if (response.status == 201) {
    claimed_digest(domain(), response, digest.to_string());
    co_return true;
  }
  if (response.status == 202) {
    co_await abandon_upload(ctx, response.headers.find("Location").value_or(""), scope);
    co_return false;
  }
  if (is_worth_retrying(response)) {
    const Request about{
        fmt::format("mounting '{}'", named(repository, digest.to_string())),
        fmt::format("repository '{}'", repository)};
    throw registry_error(domain(), about, response);
  }
  co_return false;
}

Awaitable<Descriptor> RegistryClient::push_blob(
    Ctx ctx, std::string repository, BlobSource& source) {
  require_repository(repository);
  const auto upload = std::make_shared<BlobUpload>(connection_, std::move(repository), source);
  std::exception_ptr failure;
  try {
    co_return co_await upload->run(ctx);
  } catch (...) {
    failure = std::current_exception();
  }
  // Also when this was cancelled: a wait would then throw at once without these two lines.
  co_await asio::this_coro::throw_if_cancelled(false);
  auto abandoning = upload->abandon(Ctx{}.within(k_abandon_limit), failure);
  co_await uninterrupted(std::move(abandoning));
  co_await asio::this_coro::throw_if_cancelled(true);
  std::rethrow_exception(failure);
}

}  // namespace freshet::oci
