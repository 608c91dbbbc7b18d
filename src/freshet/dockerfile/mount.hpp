// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::dockerfile {

enum class MountType { bind, cache, tmpfs, secret, ssh };
enum class Sharing { shared, exclusive, locked };  // `exclusive` is written `private`

/// What a `RUN --mount` says.
struct Mount {
  MountType type = MountType::bind;
  std::string from = {};  // stage or image; empty: the build context, or nothing for a cache
  std::string source = {};  // a path; of a secret: its id
  std::string target = {};
  std::string id = {};
  bool is_readonly = true;
  bool is_required = false;
  std::uint64_t size_bytes = 0;  // of tmpfs; 0: no limit
  std::optional<Sharing> sharing = {};
  std::optional<std::string> variable = {};  // a secret's environment variable
  std::optional<std::uint32_t> mode = {};
  std::optional<std::uint32_t> uid = {};
  std::optional<std::uint32_t> gid = {};
  bool operator==(const Mount&) const = default;
};

/// The `from=` of a mount; empty when it has none. Unlike the other fields it takes no variables,
/// and is known before any is.
/// Throws: invalid_input, when it holds one, or the quotes of `text` are wrong.
std::string parse_mount_from(std::string_view text);

/// The whole mount, each value put through `expand`.
/// Throws: invalid_input, and what `expand` throws.
/// Source: BuildKit, frontend/dockerfile/instructions/commands_runmount.go.
Mount parse_mount(
    std::string_view text, const std::function<std::string(std::string_view value)>& expand);

}  // namespace freshet::dockerfile
