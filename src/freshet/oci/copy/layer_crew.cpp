// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/layer_crew.hpp"

#include "freshet/oci/copy/layer_upload.hpp"
#include "freshet/oci/copy/parallel.hpp"

#include <exception>
#include <utility>

namespace freshet::oci {

/// One layer's upload, as its member of the crew and the visit that brought it see it.
struct LayerCrew::Job {
  std::size_t index = 0;
  std::unique_ptr<net::ByteStream> layer;
  bool is_read = false;  // to its end
  bool has_reading_failed = false;
  bool is_over = false;
  std::exception_ptr failure;
  WakeUp changed;

  void end(std::exception_ptr its_failure) {
    layer.reset();
    failure = std::move(its_failure);
    is_over = true;
    changed.notify();
  }

  static Awaitable<void> wait_until_read(std::shared_ptr<Job> job) {
    while (!job->is_read && !job->is_over) {
      co_await job->changed.wait();
    }
  }
};

/// Notes how reading ends, and lets go of the source's stream at its end.
class LayerCrew::JobStream final : public net::ByteStream {
 public:
  JobStream(std::unique_ptr<net::ByteStream> stream, std::shared_ptr<Job> job)
      : stream_(std::move(stream)), job_(std::move(job)) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    if (!stream_) {
      co_return 0;
    }
    try {
      const std::size_t count = co_await stream_->read(buffer);
      if (count == 0) {
        stream_.reset();
        job_->is_read = true;
        job_->changed.notify();
      }
      co_return count;
    } catch (const Error&) {
      job_->has_reading_failed = true;
      throw;
    }
  }

 private:
  std::unique_ptr<net::ByteStream> stream_;
  const std::shared_ptr<Job> job_;
};

namespace {

bool is_layer_past(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const LayerIsPast&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

LayerCrew::LayerCrew(std::size_t members, Upload upload)
    : upload_(std::move(upload)), wake_ups_(members) {}

Awaitable<bool> LayerCrew::run(Visits visits) {
  const auto part = [&](std::size_t index) { return index == 0 ? give(visits) : work(index - 1); };
  const std::size_t parts = wake_ups_.size() + 1;
  co_await for_each_at_once(parts, parts, part);
  co_return !is_some_past_;
}

Awaitable<void> LayerCrew::give(Visits visits) {
  const ImageSource::Visitor visitor =
      [this](std::size_t index, std::unique_ptr<net::ByteStream> layer) {
        return hand_over(index, std::move(layer));
      };
  try {
    co_await visits(visitor);
  } catch (const LayerIsPast&) {
    is_some_past_ = true;  // the uploads that go on are worth their end
  }
  close();
}

/// Not to be interrupted: the stream may read from what the source keeps until this returns. Its
/// member is stopped whenever this visit is.
Awaitable<void> LayerCrew::hand_over(std::size_t index, std::unique_ptr<net::ByteStream> layer) {
  if (is_closed_) {
    throw Cancelled(StopReason::sibling_failed);
  }
  const auto job = std::make_shared<Job>();
  job->index = index;
  job->layer = std::move(layer);
  queue_.push_back(job);
  wake_all();
  co_await uninterrupted(Job::wait_until_read(job));
  if (job->failure && !job->is_read) {
    std::rethrow_exception(job->failure);
  }
}

Awaitable<void> LayerCrew::work(std::size_t member) {
  try {
    co_await work_off(member);
  } catch (...) {
    drop_queue();
    throw;
  }
}

Awaitable<void> LayerCrew::work_off(std::size_t member) {
  for (;;) {
    std::shared_ptr<Job> job = co_await next(member);
    if (!job) {
      co_return;
    }
    co_await serve(std::move(job));
  }
}

/// Null once there will be no more.
Awaitable<std::shared_ptr<LayerCrew::Job>> LayerCrew::next(std::size_t member) {
  while (queue_.empty() && !is_closed_) {
    co_await wake_ups_[member].wait();
  }
  std::shared_ptr<Job> job;
  if (!queue_.empty()) {
    job = std::move(queue_.front());
    queue_.pop_front();
  }
  co_return job;
}

Awaitable<void> LayerCrew::serve(std::shared_ptr<Job> job) {
  std::exception_ptr failure;
  try {
    auto stream = std::make_unique<JobStream>(std::move(job->layer), job);
    co_await upload_(job->index, std::move(stream));
  } catch (...) {
    failure = std::current_exception();
  }
  job->end(failure);
  if (!failure || (job->has_reading_failed && !job->is_read)) {
    co_return;  // the visit that waits for it throws it
  }
  if (!is_layer_past(failure)) {
    std::rethrow_exception(failure);
  }
  is_some_past_ = true;
}

void LayerCrew::close() {
  is_closed_ = true;
  wake_all();
}

/// What is under way is stopped by its own member.
void LayerCrew::drop_queue() {
  is_closed_ = true;
  for (const std::shared_ptr<Job>& job : std::exchange(queue_, {})) {
    job->end(std::make_exception_ptr(Cancelled(StopReason::sibling_failed)));
  }
}

void LayerCrew::wake_all() {
  for (WakeUp& wake_up : wake_ups_) {
    wake_up.notify();
  }
}

}  // namespace freshet::oci
