// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/digest.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace freshet::oci {
namespace {

struct Algorithm {
  std::string_view name;
  std::size_t hex_length;
  const EVP_MD* (*hash)();
};

constexpr std::array k_algorithms{
    Algorithm{"sha256", 64, EVP_sha256},
    Algorithm{"sha512", 128, EVP_sha512},
};

const Algorithm* find_algorithm(std::string_view name) {
  const auto found = std::ranges::find(k_algorithms, name, &Algorithm::name);
  return found == k_algorithms.end() ? nullptr : &*found;
}

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string digest_text(const Algorithm& algorithm, std::string_view content) {
  std::string bytes(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  const int ok = EVP_Digest(
      content.data(),
      content.size(),
      reinterpret_cast<unsigned char*>(bytes.data()),
      &length,
      algorithm.hash(),
      nullptr);
  FRESHET_ASSERT(ok == 1);
  bytes.resize(length);
  return std::string(algorithm.name) + ":" + to_hex(bytes);
}

}  // namespace

std::optional<Digest> Digest::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const Algorithm* algorithm = find_algorithm(text.substr(0, colon));
  const std::string_view hex = text.substr(colon + 1);
  if (algorithm == nullptr || hex.size() != algorithm->hex_length || !is_lower_hex(hex)) {
    return std::nullopt;
  }
  return Digest(std::string(text));
}

Digest Digest::of(std::string_view content) {
  return Digest(digest_text(k_algorithms.front(), content));
}

struct DigestHasher::State {
  explicit State(const Algorithm& used) : algorithm(used), context(EVP_MD_CTX_new()) {
    FRESHET_ASSERT(context != nullptr);
    FRESHET_ASSERT(EVP_DigestInit_ex(context, algorithm.hash(), nullptr) == 1);
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const Algorithm& algorithm;
  EVP_MD_CTX* context;
};

DigestHasher::DigestHasher() : DigestHasher(k_algorithms.front().name) {}

DigestHasher::DigestHasher(const Digest& like) : DigestHasher(like.algorithm()) {}

DigestHasher::DigestHasher(std::string_view algorithm) {
  const Algorithm* known = find_algorithm(algorithm);
  FRESHET_ASSERT(known != nullptr);
  state_ = std::make_unique<State>(*known);
}

DigestHasher::DigestHasher(DigestHasher&&) noexcept = default;
DigestHasher& DigestHasher::operator=(DigestHasher&&) noexcept = default;
DigestHasher::~DigestHasher() = default;

void DigestHasher::update(std::string_view piece) {
  FRESHET_ASSERT(EVP_DigestUpdate(state_->context, piece.data(), piece.size()) == 1);
}

Digest DigestHasher::finish() {
  std::string bytes(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  FRESHET_ASSERT(
      EVP_DigestFinal_ex(
          state_->context, reinterpret_cast<unsigned char*>(bytes.data()), &length) == 1);
  bytes.resize(length);
  return Digest(std::string(state_->algorithm.name) + ":" + to_hex(bytes));
}

bool Digest::is_of(std::string_view content) const {
  const Algorithm* known = find_algorithm(algorithm());
  return known != nullptr && digest_text(*known, content) == text_;
}

}  // namespace freshet::oci
