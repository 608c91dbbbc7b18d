// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_reading.hpp"

#include <algorithm>

namespace freshet::engine {
namespace {

using std::chrono::nanoseconds;

// Measured with engine 20.10 on two processors. The export writes the whole image to a file of its
// own and then sends it. A push compresses with one thread a layer, at most at 38 MB/s; the layers
// that nobody wants share the processors with it until they are held up.
constexpr double k_export_ns_a_byte = 3.7;
constexpr double k_push_ns_a_byte = 26;
constexpr double k_share_of_others = 1.5;
constexpr nanoseconds k_export_begin = std::chrono::milliseconds(10);
constexpr nanoseconds k_handover_begin = std::chrono::milliseconds(40);

constexpr std::size_t k_pushed_at_once = 5;  // `max-concurrent-uploads`, unless it is set

nanoseconds time_for(std::uint64_t bytes, double ns_a_byte) {
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(bytes) * ns_a_byte));
}

}  // namespace

std::optional<std::vector<std::uint64_t>> layer_size_limits(
    const std::vector<ImageHistoryEntry>& history, std::size_t layer_count) {
  std::vector<std::uint64_t> sizes;  // of the entries that surely made a layer
  for (const ImageHistoryEntry& entry : history) {
    if (entry.size_bytes > 0) {
      sizes.push_back(entry.size_bytes);
    }
  }
  if (sizes.size() > layer_count || history.size() < layer_count) {
    return std::nullopt;
  }
  const std::size_t empty = layer_count - sizes.size();  // they may be anywhere
  std::vector<std::uint64_t> limits(layer_count);
  for (std::size_t index = 0; index < layer_count; ++index) {
    const std::size_t first = index - std::min(index, empty);
    for (std::size_t i = first; i <= index && i < sizes.size(); ++i) {
      limits[index] = std::max(limits[index], sizes[i]);
    }
  }
  return limits;
}

ReadingCost estimate_reading(
    const std::vector<std::uint64_t>& limits,
    std::uint64_t image_bytes,
    const std::set<std::size_t>& wanted) {
  ReadingCost cost;
  cost.whole_bytes = image_bytes;
  for (const std::size_t index : wanted) {
    cost.wanted_bytes += limits.at(index);
  }
  cost.by_export = k_export_begin + time_for(image_bytes, k_export_ns_a_byte);
  cost.by_handover =
      k_handover_begin + time_for(cost.wanted_bytes, k_push_ns_a_byte * k_share_of_others);
  return cost;
}

bool are_begun_at_once(std::size_t layer_count, const std::set<std::size_t>& wanted) {
  return !wanted.empty() && *wanted.begin() + k_pushed_at_once >= layer_count;
}

}  // namespace freshet::engine
