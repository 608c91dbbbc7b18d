// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/image_source.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace freshet::pipeline {

/// An image whose reader wants to know, when a push failed, whether it was the reading that failed.
class WatchedSource final : public oci::ImageSource {
 public:
  explicit WatchedSource(std::unique_ptr<oci::ImageSource> inner) : inner_(std::move(inner)) {}

  /// Whether the image itself could not be read; then the registry is not to blame.
  bool has_failed() const { return has_failed_; }

  const std::vector<oci::Digest>& diff_ids() const override { return inner_->diff_ids(); }
  Awaitable<std::string> config(Ctx ctx) override;
  Awaitable<std::optional<oci::Manifest>> manifest(Ctx ctx) override;
  Awaitable<void> visit_blobs(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override;
  Awaitable<void> visit_layers(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override;
  std::string_view name() const override { return inner_->name(); }

 private:
  using Way = Awaitable<void> (ImageSource::*)(Ctx, std::set<std::size_t>, Visitor);

  Awaitable<void> visit_by(Way way, Ctx ctx, std::set<std::size_t> wanted, Visitor visit);

  std::unique_ptr<oci::ImageSource> inner_;
  bool has_failed_ = false;
};

}  // namespace freshet::pipeline
