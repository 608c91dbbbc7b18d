// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/digest.hpp"

#include <cstddef>
#include <memory>

struct evp_md_ctx_st;

namespace freshet::oci {

/// SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(const void* data, std::size_t size);
  /// To be called once, last.
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace freshet::oci
