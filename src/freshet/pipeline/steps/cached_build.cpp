// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/cached_build.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

/// An engine that gets here does so at once.
constexpr auto k_reach_limit = std::chrono::seconds(2);

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
    engine::ImageOutlet outlet(
        co_await asio::this_coro::executor, offered_images(), sources_.patience);
    const bool is_reached = co_await is_reached_by_engine(outlet);
    if (!is_reached) {
      scope_.log.line(
          "warning: previous built images are not used as cache: the engine does not get to this "
          "process at 127.0.0.1");
      sources_.list.clear();
      co_return std::nullopt;
    }
    engine::BuildRequest request = request_;
    for (std::size_t i = 0; i < sources_.list.size(); ++i) {
      request.cache_sources.push_back(outlet.reference(i));
    }
    auto building = build(std::move(request));
    auto outcome = co_await (detail::settle(std::move(building)) || detail::settle(outlet.serve()));
    if (outcome.index() == 1) {
      drop(std::get<1>(outcome).failure);
      progress_.begin_again();
      co_return std::nullopt;
    }
    if (std::get<0>(outcome).failure) {
      std::rethrow_exception(std::get<0>(outcome).failure);
    }
    co_return std::move(std::get<0>(outcome).value);
  }

  std::vector<engine::OfferedImage> offered_images() const {
    std::vector<engine::OfferedImage> images;
    for (const CacheSource& source : sources_.list) {
      images.push_back(source.image);
    }
    return images;
  }

  /// Whether the engine is on this machine and shares its loopback: it is made to ask for something
  /// that is not there.
  Awaitable<bool> is_reached_by_engine(engine::ImageOutlet& outlet) {
    using namespace asio::experimental::awaitable_operators;
    const Ctx limited = ctx_.within(k_reach_limit);
    auto asking = with_deadline(limited, "the engine's question", ask(limited, outlet));
    co_await (detail::settle(std::move(asking)) || detail::settle(outlet.serve()));
    co_return outlet.was_asked();
  }

  Awaitable<void> ask(Ctx ctx, engine::ImageOutlet& outlet) {
    const std::string name = outlet.empty_repository() + ":none";
    co_await scope_.services.engine.pull_image(ctx, name, std::nullopt, nullptr);
  }

  /// Removes the source that broke.
  void drop(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const engine::OfferBroken& broken) {
      const auto source = sources_.list.begin() + static_cast<std::ptrdiff_t>(broken.image());
      scope_.log.line(
          fmt::format("warning: building without {}: {}", source->name, broken.message()));
      sources_.list.erase(source);
    }
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
