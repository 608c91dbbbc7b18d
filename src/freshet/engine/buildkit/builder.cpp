// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/builder.hpp"

#include "freshet/engine/buildkit/blocking_call.hpp"
#include "freshet/engine/buildkit/build_error.hpp"
#include "freshet/engine/buildkit/build_run.hpp"
#include "freshet/engine/buildkit/control_channel.hpp"

#include <fmt/format.h>

#include <memory>

namespace freshet::engine {
namespace {

constexpr auto k_probe_timeout = std::chrono::seconds(10);

/// Hands progress to the caller; lives on the caller's executor.
struct Delivery {
  ProgressSink sink;
  std::exception_ptr failure;  // of the sink: ends the build

  void deliver(const ProgressUpdate& update, BuildRun& run) {
    if (!sink || failure) {
      return;
    }
    try {
      sink(update);
    } catch (...) {
      failure = std::current_exception();
      run.cancel();
    }
  }
};

Awaitable<BuildResult> build_now(
    Ctx ctx, DockerClient& client, BuildRequest request, ProgressSink sink) {
  auto channel = co_await open_control_channel(ctx, client);
  const auto run = std::make_shared<BuildRun>(std::move(channel), std::move(request));
  const auto delivery = std::make_shared<Delivery>();
  delivery->sink = std::move(sink);
  const auto result = std::make_shared<BuildResult>();
  auto work = [run, delivery, result](const Post& post) {
    *result = run->run([&](ProgressUpdate update) {
      post([run, delivery, update = std::move(update)] { delivery->deliver(update, *run); });
    });
  };
  auto interrupt = [run] { run->cancel(); };
  try {
    co_await run_blocking(std::move(work), std::move(interrupt));
  } catch (const Error&) {
    if (!delivery->failure) {
      throw;
    }
  }
  if (delivery->failure) {
    std::rethrow_exception(delivery->failure);
  }
  co_return *result;
}

void list_workers(
    const std::shared_ptr<grpc::Channel>& channel,
    const std::string& engine,
    grpc::ClientContext& context) {
  const auto control = moby::buildkit::v1::Control::NewStub(channel);
  const moby::buildkit::v1::ListWorkersRequest request;
  moby::buildkit::v1::ListWorkersResponse response;
  const grpc::Status status = control->ListWorkers(&context, request, &response);
  if (status.ok() && response.record_size() > 0) {
    return;
  }
  const std::string message = status.error_message();
  if (status.ok() || is_lack_of_buildkit(status.error_code(), message)) {
    throw Error(
        ErrorCode::unsupported, fmt::format("the Docker engine at '{}' has no BuildKit", engine))
        .with_hint("Docker Engine 20.10 or newer is needed, on Linux")
        .with_remote_text(message);
  }
  const bool is_late = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  throw Error(
      is_late ? ErrorCode::deadline_exceeded : ErrorCode::unavailable,
      fmt::format("the BuildKit of the Docker engine at '{}' does not answer", engine))
      .with_remote_text(message);
}

}  // namespace

Awaitable<BuildResult> ImageBuilder::build(
    Ctx ctx, BuildRequest request, ProgressSink on_progress) {
  return with_deadline(
      ctx, "the build", build_now(ctx, client_, std::move(request), std::move(on_progress)));
}

Awaitable<void> ImageBuilder::probe(Ctx ctx) {
  const Ctx limited = ctx.within(k_probe_timeout);
  const auto channel = co_await open_control_channel(limited, client_);
  const auto context = std::make_shared<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + (limited.deadline - Ctx::Clock::now()));
  const std::string engine = client_.endpoint().to_string();
  auto work = [channel, context, engine](const Post&) { list_workers(channel, engine, *context); };
  auto interrupt = [context] { context->TryCancel(); };
  co_await run_blocking(std::move(work), std::move(interrupt));
}

}  // namespace freshet::engine
