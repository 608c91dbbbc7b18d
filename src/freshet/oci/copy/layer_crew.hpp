// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/image_source.hpp"
#include "freshet/oci/layers/wake_up.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace freshet::oci {

/// Uploads layers side by side while an image's source gives them.
///
/// A layer is off its source's hands once it was read to its end: what is left of its upload then,
/// the last bytes and the registry's answers, overlaps with the layers that follow. What reading
/// throws leaves by the source, which may have another way to the bytes; what an upload throws
/// stops the other uploads and the source.
class LayerCrew {
 public:
  using Upload =
      std::function<Awaitable<void>(std::size_t index, std::unique_ptr<net::ByteStream> layer)>;
  using Visits = std::function<Awaitable<void>(ImageSource::Visitor visitor)>;

  /// At most `members` uploads at once.
  LayerCrew(std::size_t members, Upload upload);

  /// Until everything that `visits` gives is uploaded; once. False when some layers must be visited
  /// once more, for their upload threw LayerIsPast. Throws the first failure, of an upload or of
  /// `visits`.
  Awaitable<bool> run(Visits visits);

 private:
  struct Job;
  class JobStream;

  Awaitable<void> give(Visits visits);
  Awaitable<void> hand_over(std::size_t index, std::unique_ptr<net::ByteStream> layer);
  Awaitable<void> work(std::size_t member);
  Awaitable<void> work_off(std::size_t member);
  Awaitable<std::shared_ptr<Job>> next(std::size_t member);
  Awaitable<void> serve(std::shared_ptr<Job> job);
  void close();
  void drop_queue();
  void wake_all();

  const Upload upload_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::vector<WakeUp> wake_ups_;  // one a member
  bool is_closed_ = false;  // nothing more is taken in
  bool is_some_past_ = false;
};

}  // namespace freshet::oci
