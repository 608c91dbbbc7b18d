// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/visit_watch.hpp"

#include "freshet/oci/copy/watched_stream.hpp"

#include <utility>

namespace freshet::oci {
namespace {

struct Visit {
  ImageSource::Visitor visit;
  bool& has_visitor_failed;

  Awaitable<void> operator()(std::size_t index, std::unique_ptr<net::ByteStream> layer) const {
    bool has_stream_failed = false;
    auto watched = std::make_unique<WatchedStream>(std::move(layer), has_stream_failed);
    try {
      co_await visit(index, std::move(watched));
    } catch (const Error&) {
      has_visitor_failed = has_visitor_failed || !has_stream_failed;
      throw;
    }
  }
};

}  // namespace

ImageSource::Visitor VisitWatch::watch(ImageSource::Visitor visit) {
  return Visit{std::move(visit), has_visitor_failed_};
}

bool VisitWatch::is_sources(const std::exception_ptr& thrown) const {
  if (has_visitor_failed_) {
    return false;
  }
  try {
    std::rethrow_exception(thrown);
  } catch (const Error&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace freshet::oci
