// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/visit_watch.hpp"

#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

std::unique_ptr<net::ByteStream> layer(bool is_readable = true) {
  std::optional<net::TransportError> failure;
  if (!is_readable) {
    failure.emplace(net::TransportProblem::closed, ErrorCode::unavailable, "gone");
  }
  return std::make_unique<net::testing::TextStream>("", 1, failure);
}

/// Reads, and throws then what it is given.
ImageSource::Visitor reader(std::exception_ptr failure = nullptr) {
  return [failure](std::size_t, std::unique_ptr<net::ByteStream> tar) -> Awaitable<void> {
    char byte = 0;
    co_await tar->read(asio::buffer(&byte, 1));
    if (failure) {
      std::rethrow_exception(failure);
    }
  };
}

std::exception_ptr refusal() {
  return std::make_exception_ptr(Error(ErrorCode::upstream_denied, "refused"));
}

std::exception_ptr thrown_by(
    const ImageSource::Visitor& visitor, std::unique_ptr<net::ByteStream> tar) {
  try {
    net::testing::run(visitor(0, std::move(tar)));
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

TEST(VisitWatch, lays_what_cannot_be_read_to_the_source) {
  VisitWatch watch;
  EXPECT_TRUE(watch.is_sources(thrown_by(watch.watch(reader()), layer(false))));
}

TEST(VisitWatch, lays_what_the_source_throws_itself_to_it) {
  VisitWatch watch;
  EXPECT_FALSE(thrown_by(watch.watch(reader()), layer()));
  EXPECT_TRUE(watch.is_sources(refusal()));
}

TEST(VisitWatch, does_not_lay_a_refusal_to_the_source) {
  VisitWatch watch;
  EXPECT_FALSE(watch.is_sources(thrown_by(watch.watch(reader(refusal())), layer())));
}

TEST(VisitWatch, does_not_lay_a_refusal_to_a_source_that_had_another_way_after_a_failure) {
  VisitWatch watch;
  EXPECT_TRUE(thrown_by(watch.watch(reader()), layer(false)));
  EXPECT_FALSE(watch.is_sources(thrown_by(watch.watch(reader(refusal())), layer())));
}

TEST(VisitWatch, lays_being_stopped_to_nobody) {
  VisitWatch watch;
  const auto stop = std::make_exception_ptr(
      boost::system::system_error(asio::error::make_error_code(asio::error::operation_aborted)));
  EXPECT_FALSE(watch.is_sources(thrown_by(watch.watch(reader(stop)), layer())));
  EXPECT_FALSE(watch.is_sources(std::make_exception_ptr(Cancelled(StopReason::user))));
}

}  // namespace
}  // namespace freshet::oci
