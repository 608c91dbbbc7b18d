// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::oci {

/// A content digest, `sha256:` or `sha512:` with lower-case hexadecimal of the right length; a
/// value of this type is always well formed.
/// Source: OCI Image Spec 1.1, "Digests".
class Digest {
 public:
  static std::optional<Digest> parse(std::string_view text);
  /// SHA-256 of `content`.
  static Digest of(std::string_view content);

  /// Whether `content` has this digest, by this digest's own algorithm.
  bool is_of(std::string_view content) const;
  std::string_view algorithm() const { return std::string_view(text_).substr(0, text_.find(':')); }
  std::string_view hex() const { return std::string_view(text_).substr(text_.find(':') + 1); }
  const std::string& to_string() const { return text_; }
  auto operator<=>(const Digest&) const = default;

 private:
  friend class DigestHasher;
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Computes a digest of content that comes in pieces.
class DigestHasher {
 public:
  /// By the algorithm of `like`; SHA-256 without it.
  DigestHasher();
  explicit DigestHasher(const Digest& like);
  DigestHasher(DigestHasher&&) noexcept;
  DigestHasher& operator=(DigestHasher&&) noexcept;
  ~DigestHasher();

  void update(std::string_view piece);
  /// Of all pieces so far; called once, last.
  Digest finish();

 private:
  explicit DigestHasher(std::string_view algorithm);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace freshet::oci
