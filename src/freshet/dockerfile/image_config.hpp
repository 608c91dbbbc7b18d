// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/instruction.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace freshet::dockerfile {

/// What an image says about the containers and images that start from it.
/// Source: OCI Image Spec 1.1, "config", with Docker's additions.
struct ImageConfig {
  std::vector<std::pair<std::string, std::string>> environment;  // each name once
  std::string user;
  std::string directory;
  std::vector<std::string> shell;  // empty: the system's own
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> cmd;
  std::map<std::string, std::string> labels;
  std::set<std::string> volumes;
  std::set<std::string> ports;  // `80/tcp`
  std::string stop_signal;
  std::optional<Healthcheck> healthcheck;
  std::vector<std::string> triggers;  // of ONBUILD
  std::string author;

  void set_variable(const std::string& name, const std::string& value);
  bool operator==(const ImageConfig&) const = default;
};

}  // namespace freshet::dockerfile
