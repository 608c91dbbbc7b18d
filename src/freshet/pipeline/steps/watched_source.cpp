// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/watched_source.hpp"

#include "freshet/oci/copy/visit_watch.hpp"

namespace freshet::pipeline {
Awaitable<std::string> WatchedSource::config(Ctx ctx) {
  try {
    co_return co_await inner_->config(ctx);
  } catch (const Error&) {
    has_failed_ = true;
    throw;
  }
}

Awaitable<std::optional<oci::Manifest>> WatchedSource::manifest(Ctx ctx) {
  try {
    co_return co_await inner_->manifest(ctx);
  } catch (const Error&) {
    has_failed_ = true;
    throw;
  }
}

Awaitable<void> WatchedSource::visit_layers(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) {
  return visit_by(&ImageSource::visit_layers, ctx, std::move(wanted), std::move(visit));
}

Awaitable<void> WatchedSource::visit_blobs(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) {
  return visit_by(&ImageSource::visit_blobs, ctx, std::move(wanted), std::move(visit));
}

Awaitable<void> WatchedSource::visit_by(
    Way way, Ctx ctx, std::set<std::size_t> wanted, Visitor visit) {
  oci::VisitWatch watch;
  try {
    co_await (*inner_.*way)(ctx, std::move(wanted), watch.watch(std::move(visit)));
  } catch (const Error&) {
    has_failed_ = watch.is_sources(std::current_exception());
    throw;
  }
}

}  // namespace freshet::pipeline
