// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_store.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/docker/image_layers.hpp"
#include "freshet/engine/docker/image_tar_split.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace freshet::engine {
namespace {

constexpr std::size_t k_max_config_bytes = 4 * 1024 * 1024;
constexpr std::size_t k_max_name_file_bytes = 256;
constexpr std::uint64_t k_worth_reading_ahead = 256 * 1024;
constexpr std::string_view k_name_letters = "0123456789abcdefghijklmnopqrstuvwxyz-";

Error corrupt(std::string message) {
  return Error(ErrorCode::corrupt_data, std::move(message));
}

UniqueFd open_existing(const fs::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) {
    throw engine_file_error(path.native());
  }
  return fd;
}

StoredLayer load_layer(
    const fs::path& root, const oci::Digest& diff_id, const oci::Digest& chain_id) {
  const fs::path record = root / "image/overlay2/layerdb/sha256" / chain_id.hex();
  if (load_file(record / "diff", k_max_name_file_bytes) != diff_id.to_string()) {
    throw corrupt(
        fmt::format("the engine's storage has another layer for '{}'", chain_id.to_string()));
  }
  const std::string folder = load_file(record / "cache-id", k_max_name_file_bytes);
  if (folder.empty() || folder.find_first_not_of(k_name_letters) != std::string::npos) {
    throw corrupt(
        fmt::format("the engine's storage has no folder for layer '{}'", diff_id.to_string()));
  }
  StoredLayer layer{diff_id, root / "overlay2" / folder / "diff", record / "tar-split.json.gz"};
  open_existing(layer.tar_split, 0);
  open_existing(layer.files, O_DIRECTORY);
  return layer;
}

/// Opens a regular file below `directory`, whatever `name` is.
UniqueFd open_beneath(const UniqueFd& directory, std::string name) {
  // Absolute names are meant to be below the folder, too.
  name.erase(0, std::min(name.find_first_not_of('/'), name.size()));
  struct open_how how = {};
  how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;  // the last for what is no file
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, directory.get(), name.c_str(), &how, sizeof(how));
  if (fd < 0 || name.find('\0') != std::string::npos) {
    throw engine_file_error(name);
  }
  return UniqueFd(static_cast<int>(fd));
}

void copy_file(const UniqueFd& directory, const TarSplitEntry& entry, oci::ProducerSink& sink) {
  const UniqueFd file = open_beneath(directory, entry.name);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::uint64_t>(status.st_size) != entry.size_bytes) {
    throw corrupt(fmt::format(
        "the engine's file '{}' is not the one of {} bytes that was there",
        printable(entry.name, 256),
        entry.size_bytes));
  }
  if (entry.size_bytes > k_worth_reading_ahead) {
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  for (std::uint64_t left = entry.size_bytes; left > 0;) {
    const std::span<char> space = sink.space();
    const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(left, space.size()));
    const ssize_t count = ::read(file.get(), space.data(), most);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      throw engine_file_error(entry.name);
    }
    if (count == 0) {
      throw corrupt(fmt::format("the engine's file '{}' is cut short", printable(entry.name, 256)));
    }
    sink.commit(static_cast<std::size_t>(count));
    left -= static_cast<std::uint64_t>(count);
  }
}

}  // namespace

Error engine_file_error(std::string_view path) {
  const int code = errno;
  const ErrorCode kind = code == ENOENT                    ? ErrorCode::not_found
                         : code == EACCES || code == EPERM ? ErrorCode::forbidden
                                                           : ErrorCode::corrupt_data;
  return Error(
      kind,
      fmt::format(
          "the engine's file '{}' cannot be read: {}",
          printable(path, 256),
          to_lower(std::generic_category().message(code))));
}

StoredImage load_stored_image(
    const fs::path& root, const oci::Digest& image_id, const std::vector<oci::Digest>& diff_ids) {
  StoredImage image;
  const fs::path config = root / "image/overlay2/imagedb/content/sha256" / image_id.hex();
  image.config = load_file(config, k_max_config_bytes);
  if (!image_id.is_of(image.config) || !is_config_of(image.config, diff_ids)) {
    throw corrupt(
        fmt::format("the engine's storage has another image for '{}'", image_id.to_string()));
  }
  const std::vector<oci::Digest> chain = chain_ids(diff_ids);
  for (std::size_t i = 0; i < diff_ids.size(); ++i) {
    image.layers.push_back(load_layer(root, diff_ids[i], chain[i]));
  }
  return image;
}

void write_archive(const StoredLayer& layer, oci::ProducerSink& sink) {
  TarSplitReader entries(open_existing(layer.tar_split, 0));
  const UniqueFd files = open_existing(layer.files, O_DIRECTORY);
  while (const std::optional<TarSplitEntry> entry = entries.next()) {
    if (!entry->is_file) {
      sink.write(entry->bytes);
    } else if (entry->size_bytes > 0) {
      copy_file(files, *entry, sink);
    }
  }
}

}  // namespace freshet::engine
