// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/secret.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::engine {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Credentials for one registry, handed to the engine in a request header or by BuildKit's session.
struct RegistryAuth {
  std::string server;  // domain; Docker Hub is `https://index.docker.io/v1/`
  std::string username;
  Secret password;
};

/// Gets one line of human-readable progress.
using ProgressLine = std::function<void(std::string_view line)>;

struct EngineVersion {
  std::string version;  // e.g. `20.10.24`
  std::string api_version;  // agreed on, e.g. `1.41`
  std::string min_api_version;
  std::string os;
  std::string architecture;
  std::string builder_version;  // header `Builder-Version`: "2" when BuildKit is the default
};

struct EngineInfo {
  std::string name;
  std::string id;
  std::string storage_driver;
  std::string root_directory;
  std::string operating_system;
  std::uint64_t memory_bytes = 0;
  std::vector<std::string> warnings;
  bool is_rootless = false;  // it runs as an ordinary user, who is root in its containers
  /// containerd keeps its images, as registries have them: it names them by their manifests.
  bool has_containerd_store = false;
};

struct Mount {
  enum class Kind { bind, volume };
  Kind kind = Kind::bind;
  std::string source;  // host path, or name of the volume
  std::string target;
  bool read_only = false;
};

struct ContainerSpec {
  std::string name;  // empty: the engine chooses one
  std::string image;
  std::optional<std::vector<std::string>> entry_point;
  std::optional<std::vector<std::string>> command;
  std::vector<std::string> environment;  // NAME=value
  std::string working_directory;  // empty: the image's own
  std::string user;  // empty: the image's own
  std::vector<Mount> mounts;
  Labels labels;
  std::string network;  // empty: the engine's default
  /// All capabilities that it has, without `CAP_`; nullopt: the engine's default set.
  std::optional<std::vector<std::string>> capabilities;
  /// Root in it is root of the engine's machine even where the engine maps users (userns-remap).
  bool has_users_of_host = false;
};

struct VolumeSpec {
  std::string name;
  Labels labels;
  std::vector<std::pair<std::string, std::string>> driver_options;
};

/// A container, volume or network that carries one of our labels.
struct LabelledObject {
  std::string id;  // id of containers and networks, name of volumes
  Labels labels;
};

struct ImageDetails {
  /// `sha256:…`: of the configuration, or of a manifest or index with containerd's image store.
  std::string id;
  bool is_named_by_manifest = false;  // `id` is no configuration's
  std::vector<std::string> repo_tags;
  /// `name@sha256:…` under which a registry has it. An engine with containerd's image store and an
  /// API before 1.53 lists all its names here, exchanged with a registry or not.
  std::vector<std::string> repo_digests;
  std::uint64_t size_bytes = 0;
  std::string os;
  std::string architecture;
  std::vector<std::string> diff_ids;  // lowest layer first
  std::string working_directory;
  std::vector<std::string> environment;
  std::vector<std::string> entry_point;
  std::vector<std::string> command;
};

struct ImageHistoryEntry {
  std::string created_by;
  std::uint64_t size_bytes = 0;
};

struct PushedImage {
  std::string digest;  // of the manifest, `sha256:…`
  std::uint64_t manifest_size_bytes = 0;
  /// Of the index that the name stood for, where the engine has not all of it and so pushed the
  /// manifest for its own platform alone; else empty.
  std::string index_digest;
};

enum class OutputStream { standard_output, standard_error };

/// The output of one container, demultiplexed.
class ContainerOutput {
 public:
  virtual ~ContainerOutput() = default;
  /// Reads until the container's end. `on_bytes` gets pieces as they arrive, not line-aligned.
  virtual Awaitable<void> read_all(
      Ctx ctx, std::function<void(OutputStream stream, std::string_view bytes)> on_bytes) = 0;
};

}  // namespace freshet::engine
