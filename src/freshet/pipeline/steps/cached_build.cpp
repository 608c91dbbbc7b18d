// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/cached_build.hpp"

#include <fmt/format.h>

#include <memory>

namespace freshet::pipeline {
namespace {

/// One build's attempts.
class Attempts {
 public:
  Attempts(
      Ctx ctx,
      StepScope scope,
      engine::BuildRequest request,
      CacheSources sources,
      BuildProgress& progress)
      : ctx_(ctx),
        scope_(scope),
        request_(std::move(request)),
        sources_(std::move(sources)),
        progress_(progress) {}

  Awaitable<engine::BuildResult> execute() {
    while (!sources_.list.empty()) {
      std::optional<engine::BuildResult> built = co_await try_with_sources();
      if (built) {
        co_return std::move(*built);
      }
    }
    co_return co_await build(request_);
  }

 private:
  Awaitable<engine::BuildResult> build(engine::BuildRequest request) {
    engine::ProgressSink on_progress = [this](const engine::ProgressUpdate& update) {
      progress_.apply(update);
    };
    return scope_.services.builder.build(ctx_, std::move(request), std::move(on_progress));
  }

  /// nullopt: it is to be tried again with the sources that are left.
  Awaitable<std::optional<engine::BuildResult>> try_with_sources() {
    using namespace asio::experimental::awaitable_operators;
    const std::unique_ptr<engine::ImageOutlet> outlet =
        open_outlet(co_await asio::this_coro::executor);
    if (!outlet) {
      co_return std::nullopt;
    }
    engine::BuildRequest request = request_;
    for (std::size_t i = 0; i < sources_.list.size(); ++i) {
      request.cache_sources.push_back(outlet->reference(i));
    }
    auto building = build(std::move(request));
    auto outcome =
        co_await (detail::settle(std::move(building)) || detail::settle(outlet->serve()));
    if (outcome.index() == 1) {
      drop(std::get<1>(outcome).failure);
      progress_.begin_again();
      co_return std::nullopt;
    }
    if (std::get<0>(outcome).failure) {
      std::rethrow_exception(std::get<0>(outcome).failure);
    }
    if (!outlet->was_asked()) {
      scope_.log.line(
          "warning: built without past images: the engine does not get to this process at "
          "127.0.0.1");
    }
    co_return std::move(std::get<0>(outcome).value);
  }

  /// Null when none can be had: then the sources are given up.
  std::unique_ptr<engine::ImageOutlet> open_outlet(asio::any_io_executor executor) {
    std::vector<engine::OfferedImage> images;
    for (const CacheSource& source : sources_.list) {
      images.push_back(source.image);
    }
    try {
      return std::make_unique<engine::ImageOutlet>(
          std::move(executor), std::move(images), sources_.patience);
    } catch (const Error& error) {
      give_up(error.message());
      return nullptr;
    }
  }

  /// Removes the source that broke; all, when the outlet itself did. Throws when it was cancelled.
  void drop(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const engine::OfferBroken& broken) {
      const auto source = sources_.list.begin() + static_cast<std::ptrdiff_t>(broken.image());
      scope_.log.line(
          fmt::format("warning: building without {}: {}", source->name, broken.message()));
      sources_.list.erase(source);
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::operation_aborted) {
        throw;
      }
      give_up(error.code().message());
    }
  }

  void give_up(const std::string& why) {
    scope_.log.line(fmt::format("warning: building without past images: {}", why));
    sources_.list.clear();
  }

  Ctx ctx_;
  StepScope scope_;
  engine::BuildRequest request_;
  CacheSources sources_;
  BuildProgress& progress_;
};

}  // namespace

Awaitable<engine::BuildResult> build_with_cache(
    Ctx ctx,
    StepScope scope,
    engine::BuildRequest request,
    CacheSources sources,
    BuildProgress& progress) {
  Attempts attempts(ctx, scope, std::move(request), std::move(sources), progress);
  co_return co_await attempts.execute();
}

}  // namespace freshet::pipeline
