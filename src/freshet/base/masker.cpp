// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/masker.hpp"

#include "freshet/base/text.hpp"

#include <algorithm>

namespace freshet {
namespace {

constexpr std::string_view k_mask = "*****";

std::string to_url_alphabet(std::string base64) {
  std::replace(base64.begin(), base64.end(), '+', '-');
  std::replace(base64.begin(), base64.end(), '/', '_');
  return base64;
}

/// The base64 text that `secret` gives wherever it starts in an encoded stream, without the
/// characters at both ends that its neighbours take part in.
std::vector<std::string> base64_forms(std::string_view secret) {
  std::vector<std::string> forms;
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string encoded = to_base64(std::string(offset, '\0') + std::string(secret));
    const std::size_t first = offset == 0 ? 0 : offset + 1;
    const std::size_t whole_bits = (secret.size() + offset) * 8;
    const std::size_t last = whole_bits / 6;
    if (last > first) {
      const std::string form = encoded.substr(first, last - first);
      forms.push_back(form);
      forms.push_back(to_url_alphabet(form));
    }
  }
  return forms;
}

}  // namespace

void Masker::add(std::string_view secret) {
  const std::lock_guard lock(mutex_);
  const auto add_needle = [&](std::string text, std::size_t min_length) {
    Secret needle(std::move(text));
    if (needle.reveal().size() >= min_length &&
        std::find(needles_.begin(), needles_.end(), needle) == needles_.end()) {
      needles_.push_back(std::move(needle));
    }
  };
  for (const std::string& line : split(secret, '\n')) {
    add_needle(std::string(trim(line)), k_min_length);
  }
  for (std::string& form : base64_forms(secret)) {
    // A short base64 piece occurs in other text by chance.
    add_needle(std::move(form), 6);
  }
}

std::string Masker::mask(std::string_view text) const {
  return mask(text, 0, text.size());
}

std::string Masker::mask(std::string_view text, std::size_t begin, std::size_t end) const {
  const std::lock_guard lock(mutex_);
  // First mark, then replace: where two secrets overlap, replacing one would leave a part of the
  // other.
  std::vector<bool> is_hidden(text.size());
  for (const Secret& secret : needles_) {
    const std::string_view needle = secret.reveal();
    for (std::size_t at = text.find(needle); at != std::string_view::npos;
         at = text.find(needle, at + 1)) {
      std::fill_n(is_hidden.begin() + static_cast<std::ptrdiff_t>(at), needle.size(), true);
    }
  }
  std::string out;
  for (std::size_t i = begin; i < end; ++i) {
    if (!is_hidden[i]) {
      out += text[i];
    } else if (i == begin || !is_hidden[i - 1]) {
      out += k_mask;
    }
  }
  return out;
}

std::size_t Masker::margin() const {
  const std::lock_guard lock(mutex_);
  std::size_t margin = 0;
  for (const Secret& needle : needles_) {
    margin = std::max(margin, needle.reveal().size() - 1);
  }
  return margin;
}

}  // namespace freshet
