// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/watched_source.hpp"

namespace freshet::pipeline {
namespace {

class WatchedStream final : public net::ByteStream {
 public:
  WatchedStream(std::unique_ptr<net::ByteStream> inner, std::shared_ptr<bool> has_failed)
      : inner_(std::move(inner)), has_failed_(std::move(has_failed)) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    try {
      co_return co_await inner_->read(buffer);
    } catch (const Error&) {
      *has_failed_ = true;
      throw;
    }
  }

 private:
  std::unique_ptr<net::ByteStream> inner_;
  std::shared_ptr<bool> has_failed_;
};

struct Visit {
  oci::ImageSource::Visitor visit;
  std::shared_ptr<bool> has_failed;
  std::shared_ptr<bool> is_inside;

  Awaitable<void> operator()(std::size_t index, std::unique_ptr<net::ByteStream> tar) const {
    auto watched = std::make_unique<WatchedStream>(std::move(tar), has_failed);
    *is_inside = true;
    *has_failed = false;  // it is given again, from another source: what broke is past
    co_await visit(index, std::move(watched));
    *is_inside = false;
  }
};

}  // namespace

Awaitable<std::string> WatchedSource::config(Ctx ctx) {
  try {
    co_return co_await inner_->config(ctx);
  } catch (const Error&) {
    *has_failed_ = true;
    throw;
  }
}

Awaitable<std::optional<oci::Manifest>> WatchedSource::manifest(Ctx ctx) {
  try {
    co_return co_await inner_->manifest(ctx);
  } catch (const Error&) {
    *has_failed_ = true;
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
  const auto is_inside = std::make_shared<bool>(false);
  Visitor watched = Visit{std::move(visit), has_failed_, is_inside};
  try {
    co_await (*inner_.*way)(ctx, std::move(wanted), std::move(watched));
  } catch (const Error&) {
    *has_failed_ = *has_failed_ || !*is_inside;
    throw;
  }
}

}  // namespace freshet::pipeline
