// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/evaluate.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace freshet::cache {

/// All that decides what a build makes. Labels do not: they are of the run, not of the image.
struct ImageInputs {
  std::string dockerfile;  // its bytes
  std::string context;  // digest of it, `ContextDigest::digest`
  std::vector<std::pair<std::string, std::string>> build_arguments;  // of one name the last counts
  std::string target;  // empty: the last stage
  std::string platform;  // os/architecture
  std::string engine;  // kind of the engine
  /// What every image that the Dockerfile names is now: by the name as it is written there, a
  /// digest.
  std::map<std::string, std::string> images;
  bool squashes = false;
  std::vector<std::string> secret_ids;  // not what they hold
  std::vector<std::string> ssh_ids;
};

/// The key of the image that a build of these inputs makes: 40 hexadecimal characters, the first of
/// a SHA-256, so that it can be a tag. The order of arguments and ids does not matter.
std::string make_image_key(const ImageInputs& inputs);

/// Why the inputs of a build cannot be known before it; empty when they can. Images are not looked
/// at, nor what a RUN fetches. Pure.
std::string why_open_ended(const dockerfile::Evaluation& evaluation);

/// The images that the stages start, copy or mount from, each once. Pure.
std::vector<std::string> find_images(const dockerfile::Evaluation& evaluation);

}  // namespace freshet::cache
