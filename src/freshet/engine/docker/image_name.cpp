// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_name.hpp"

namespace freshet::engine {
namespace {

constexpr auto k_step_limit = std::chrono::seconds(10);
constexpr const char* k_empty_repository = "freshet-empty";
constexpr const char* k_empty_tag = "1";
constexpr const char* k_empty_image = "freshet-empty:1";
constexpr std::size_t k_empty_archive_bytes = 1024;  // the two blocks at an archive's end

Awaitable<void> make_empty_image(Ctx ctx, DockerClient& client) {
  const std::optional<ImageDetails> found = co_await client.find_image(ctx, k_empty_image);
  if (found) {
    co_return;
  }
  std::vector<std::string> changes;
  changes.emplace_back("LABEL io.freshet.empty=1");
  co_await client.import_image(
      ctx,
      std::string(k_empty_archive_bytes, '\0'),
      k_empty_repository,
      k_empty_tag,
      std::move(changes));
}

Awaitable<void> take_back(DockerClient& client, std::string repository, std::string tag) {
  const Ctx ctx = Ctx().within(k_step_limit);
  co_await client.tag_image(ctx, k_empty_image, repository, tag);
  co_await client.remove_image_name(ctx, repository, tag);
}

}  // namespace

Awaitable<void> with_image_name(
    Ctx ctx,
    DockerClient& client,
    std::string image_id,
    std::string repository,
    std::string tag,
    std::function<Awaitable<void>()> work) {
  co_await make_empty_image(ctx, client);  // before there is something to take back
  // From here on a stop shows only in `work`, or at the end.
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await uninterrupted(
      client.tag_image(Ctx().within(k_step_limit), std::move(image_id), repository, tag));
  const auto stop = co_await asio::this_coro::cancellation_state;
  std::exception_ptr failure;
  if (stop.cancelled() == asio::cancellation_type::none) {
    const auto outcome = co_await detail::settle(work());
    failure = outcome.failure;
  }
  co_await uninterrupted(take_back(client, std::move(repository), std::move(tag)));
  co_await asio::this_coro::throw_if_cancelled(true);
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace freshet::engine
