// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/oci/reference.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace freshet::cli {

/// One image that was moved, for people and programs to read.
struct MovedImage {
  std::string source;  // `domain/path@sha256:…`, or the id in the engine
  oci::Reference target;
  std::vector<std::string> tags;
  oci::MoveReport report;
  std::chrono::milliseconds duration{};
};

void print_moved(const MovedImage& moved, std::FILE* out);
boost::json::object to_json(const MovedImage& moved);

}  // namespace freshet::cli
