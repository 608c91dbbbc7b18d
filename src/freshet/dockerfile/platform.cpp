// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/platform.hpp"

#include "freshet/base/text.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace freshet::dockerfile {
namespace {

template <std::size_t n>
bool is_one_of(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_known_system(std::string_view name) {
  constexpr std::array<std::string_view, 17> k_systems{
      "aix",
      "android",
      "darwin",
      "dragonfly",
      "freebsd",
      "hurd",
      "illumos",
      "ios",
      "js",
      "linux",
      "nacl",
      "netbsd",
      "openbsd",
      "plan9",
      "solaris",
      "windows",
      "zos"};
  return is_one_of(k_systems, name);
}

bool is_known_architecture(std::string_view name) {
  constexpr std::array<std::string_view, 24> k_architectures{
      "386",     "amd64",   "amd64p32", "arm",    "armbe",  "arm64",    "arm64be",   "ppc64",
      "ppc64le", "loong64", "mips",     "mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le",
      "ppc",     "riscv",   "riscv64",  "s390",   "s390x",  "sparc",    "sparc64",   "wasm"};
  return is_one_of(k_architectures, name);
}

bool is_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
             std::string_view::npos;
}

/// An operating system's name; its version, as in `windows(10.0.17763)`, is dropped.
std::string system_of(std::string_view text) {
  const std::size_t bracket = text.find('(');
  if (bracket != std::string_view::npos && !text.ends_with(')')) {
    return {};
  }
  const std::string name = to_lower(text.substr(0, bracket));
  return !is_name(name) || name.find('.') != std::string::npos ? ""
         : name == "macos"                                     ? "darwin"
                                                               : name;
}

void set_architecture(oci::Platform& platform, std::string_view name, std::string_view variant) {
  platform.architecture = to_lower(name);
  platform.variant = to_lower(variant);
  std::string& own = platform.variant;
  if (platform.architecture == "i386") {
    platform.architecture = "386";
    own.clear();
  } else if (platform.architecture == "x86_64" || platform.architecture == "x86-64") {
    platform.architecture = "amd64";
  } else if (platform.architecture == "aarch64") {
    platform.architecture = "arm64";
  } else if (platform.architecture == "armhf" || platform.architecture == "armel") {
    own = platform.architecture == "armhf" ? "v7" : "v6";
    platform.architecture = "arm";
  } else if (platform.architecture == "arm" && own.size() == 1) {
    own.insert(0, "v");
  }
  if (platform.architecture == "amd64" && own == "v1") {
    own.clear();
  }
  if (platform.architecture == "arm64" && (own == "8" || own == "v8" || own == "v8.0")) {
    own.clear();
  }
}

}  // namespace

std::optional<oci::Platform> parse_platform(std::string_view text, const oci::Platform& own) {
  const std::vector<std::string> parts = split(text, '/');
  if (parts.size() > 3 || !std::all_of(parts.begin() + 1, parts.end(), is_name)) {
    return std::nullopt;
  }
  oci::Platform platform;
  platform.os = system_of(parts[0]);
  if (platform.os.empty()) {
    return std::nullopt;
  }
  if (parts.size() == 1 && is_known_system(platform.os)) {
    platform.architecture = own.architecture;
    platform.variant = own.variant;
    return platform;
  }
  const bool is_architecture_alone = parts.size() == 1;
  set_architecture(
      platform, parts[is_architecture_alone ? 0 : 1], parts.size() == 3 ? parts[2] : "");
  if (is_architecture_alone) {
    platform.os = own.os;
    if (!is_known_architecture(platform.architecture)) {
      return std::nullopt;
    }
  }
  if (parts.size() < 3 && platform.architecture == "arm" && platform.variant == "v7") {
    platform.variant.clear();
  }
  if (parts.size() == 3 && platform.architecture == "arm64" && platform.variant.empty()) {
    platform.variant = "v8";
  }
  return platform;
}

}  // namespace freshet::dockerfile
