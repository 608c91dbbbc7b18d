// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/image_source.hpp"

#include <exception>

namespace freshet::oci {

/// Tells whose failure it was that ended visits of an image's layers: the source's, whose streams
/// could not be read or which threw itself, or the visitor's.
class VisitWatch {
 public:
  /// To be given to the source instead of `visit`. This must outlive it.
  ImageSource::Visitor watch(ImageSource::Visitor visit);
  /// Whether `thrown`, which left the source, was its own failure. Being stopped is nobody's.
  bool is_sources(const std::exception_ptr& thrown) const;

 private:
  bool has_visitor_failed_ = false;
};

}  // namespace freshet::oci
