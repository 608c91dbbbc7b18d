// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/known_blobs.hpp"

namespace freshet::oci {
namespace {

constexpr std::size_t k_max_facts = 50'000;  // about 10 MB
constexpr std::chrono::minutes k_trusted_for{10};  // registries collect garbage

bool is_fresh(Ctx::Clock::time_point since) {
  return Ctx::Clock::now() - since < k_trusted_for;
}

}  // namespace

void KnownBlobs::add(
    const std::string& domain, const std::string& repository, const Digest& digest) {
  if (size_ >= k_max_facts) {
    blobs_.clear();
    size_ = 0;
  }
  const auto [fact, is_new] =
      blobs_[std::pair(domain, digest)].insert_or_assign(repository, Ctx::Clock::now());
  size_ += is_new ? 1 : 0;
}

bool KnownBlobs::has(
    const std::string& domain, const std::string& repository, const Digest& digest) const {
  const auto blob = blobs_.find(std::pair(domain, digest));
  if (blob == blobs_.end()) {
    return false;
  }
  const auto fact = blob->second.find(repository);
  return fact != blob->second.end() && is_fresh(fact->second);
}

std::vector<std::string> KnownBlobs::repositories_with(
    const std::string& domain, const Digest& digest) const {
  std::vector<std::string> found;
  const auto blob = blobs_.find(std::pair(domain, digest));
  if (blob != blobs_.end()) {
    for (const auto& [repository, since] : blob->second) {
      if (is_fresh(since)) {
        found.push_back(repository);
      }
    }
  }
  return found;
}

void KnownBlobs::forget(const std::string& domain, const std::string& repository) {
  for (auto& [key, repositories] : blobs_) {
    if (key.first == domain) {
      size_ -= repositories.erase(repository);
    }
  }
}

}  // namespace freshet::oci
