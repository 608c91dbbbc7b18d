// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace freshet {

/// Replaces known secrets in output by asterisks. Only output is ever masked, never an input.
///
/// Each secret is hidden as it is, line by line, and as base64 (both alphabets) at each of the
/// three alignments. Pieces shorter than `k_min_length` are left alone: masking `a` or `1` would
/// ruin the log and hide nothing. Thread-safe.
class Masker {
 public:
  static constexpr std::size_t k_min_length = 3;

  void add(std::string_view secret);
  void add(const Secret& secret) { add(secret.reveal()); }

  /// `text` is a whole line: a secret split over two calls is not seen.
  std::string mask(std::string_view text) const;
  /// What is between the offsets `begin` and `end` of `text`, without any part of a secret that
  /// begins before or ends after it.
  std::string mask(std::string_view text, std::size_t begin, std::size_t end) const;
  /// How many bytes before and after a piece of a line a secret can reach that touches the piece.
  std::size_t margin() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Secret> needles_;
};

}  // namespace freshet
