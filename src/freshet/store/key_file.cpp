// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/key_file.hpp"

#include "freshet/base/error.hpp"
#include "freshet/store/sealing.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>

namespace freshet::store {
namespace {

void make_key(const fs::path& path) {
  FRESHET_ASSERT(sodium_init() >= 0);
  std::array<char, Sealer::k_key_bytes> key{};
  randombytes_buf(key.data(), key.size());
  // Appears under its name only when complete: a crash leaves no half key that would look like one.
  replace_private_file(path, {key.data(), key.size()});
  sodium_memzero(key.data(), key.size());
}

}  // namespace

Secret load_or_make_key(const fs::path& path) {
  if (!fs::exists(fs::symlink_status(path))) {
    make_key(path);
  }
  constexpr std::size_t k_max_key_file = 4096;
  Secret key(load_file(path, k_max_key_file));
  if (key.reveal().size() != Sealer::k_key_bytes) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "'{}' holds {} bytes, a sealing key has {}",
            path.string(),
            key.reveal().size(),
            Sealer::k_key_bytes))
        .with_hint(
            "put the right file back from a backup, or remove it and enter the password of every "
            "integration again");
  }
  return key;
}

}  // namespace freshet::store
