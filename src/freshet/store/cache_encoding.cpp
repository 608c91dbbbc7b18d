// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/cache_encoding.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/oci/digest.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::store {
namespace {

constexpr unsigned k_bits = 7;
constexpr unsigned k_more = 1U << k_bits;
constexpr unsigned k_max_shift = 63;
constexpr std::string_view k_sha256 = "sha256";

Error damaged() {
  return Error(ErrorCode::corrupt_data, "the index of past images is damaged");
}

int value_of(char digit) {
  return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

}  // namespace

std::string encode_results(const std::vector<HeldResult>& results) {
  std::string out;
  long long before = 0;
  for (const HeldResult& result : results) {
    auto left = static_cast<unsigned long long>(result.number - before) << 1;
    left |= result.is_offered ? 1U : 0U;
    for (; left >= k_more; left >>= k_bits) {
      out += static_cast<char>(left | k_more);
    }
    out += static_cast<char>(left);
    before = result.number;
  }
  return out;
}

std::vector<HeldResult> decode_results(std::string_view bytes) {
  std::vector<HeldResult> out;
  long long before = 0;
  unsigned long long value = 0;
  unsigned shift = 0;
  for (const char byte : bytes) {
    const auto bits = static_cast<unsigned char>(byte);
    if (shift > k_max_shift) {
      throw damaged();
    }
    value |= static_cast<unsigned long long>(bits & (k_more - 1)) << shift;
    shift += k_bits;
    if ((bits & k_more) == 0) {
      before += static_cast<long long>(value >> 1);
      out.push_back({before, (value & 1) != 0});
      value = 0;
      shift = 0;
    }
  }
  if (shift != 0) {
    throw damaged();
  }
  return out;
}

std::string encode_diff_id(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const auto digest = oci::Digest::parse(text);
  if (!digest || digest->algorithm() != k_sha256) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is no SHA-256 digest of a layer", printable(text, 100)));
  }
  std::string out;
  for (std::size_t at = 0; at < digest->hex().size(); at += 2) {
    out += static_cast<char>(value_of(digest->hex()[at]) * 16 + value_of(digest->hex()[at + 1]));
  }
  return out;
}

std::string decode_diff_id(std::string_view bytes) {
  return bytes.empty() ? std::string() : fmt::format("{}:{}", k_sha256, to_hex(bytes));
}

model::InstructionKey decode_key(std::string_view bytes) {
  model::InstructionKey key{};
  if (bytes.size() != key.size()) {
    throw damaged();
  }
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

}  // namespace freshet::store
