// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/reclaim/image.hpp"

#include "freshet/oci/digest.hpp"

#include <fmt/format.h>

#include <cstring>
#include <numeric>

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): names of an assembler's, not constants of C++
extern const char freshet_reclaim_program[];
extern const char freshet_reclaim_program_end[];
// NOLINTEND(readability-identifier-naming)
}

namespace freshet::pipeline {
namespace {

constexpr std::string_view k_repository = "freshet-helper";
constexpr std::size_t k_block_bytes = 512;

/// A header as POSIX.1-1988 has it.
struct TarHeader {
  char name[100];
  char mode[8];
  char user[8];
  char group[8];
  char size[12];
  char time[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char rest[247];
};
static_assert(sizeof(TarHeader) == k_block_bytes);

template <std::size_t N>
void put(char (&field)[N], std::string_view text) {
  FRESHET_ASSERT(text.size() <= N);
  std::memcpy(field, text.data(), text.size());
}

TarHeader make_header(std::string_view name, std::size_t size) {
  TarHeader header{};
  put(header.name, name);
  put(header.mode, "0000755");
  put(header.user, "0000000");
  put(header.group, "0000000");
  put(header.size, fmt::format("{:011o}", size));
  put(header.time, "00000000000");
  header.type = '0';
  put(header.magic, "ustar");
  put(header.version, "00");
  put(header.checksum, "        ");  // counts as blanks in the sum
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  put(header.checksum, fmt::format("{:06o}", std::accumulate(bytes, bytes + k_block_bytes, 0U)));
  header.checksum[6] = '\0';
  return header;
}

std::string_view program() {
  return {
      freshet_reclaim_program,
      static_cast<std::size_t>(freshet_reclaim_program_end - freshet_reclaim_program)};
}

/// The id of the image of that name, when it holds the layer `diff_id` and nothing else.
Awaitable<std::optional<std::string>> find_genuine(
    Ctx ctx, engine::DockerClient& engine, std::string name, std::string diff_id) {
  const std::optional<engine::ImageDetails> image = co_await engine.find_image(ctx, name);
  const bool is_genuine = image && image->diff_ids == std::vector<std::string>{diff_id};
  co_return is_genuine ? std::optional(image->id) : std::nullopt;
}

}  // namespace

std::string make_program_archive(std::string_view name, std::string_view content) {
  const TarHeader header = make_header(name, content.size());
  std::string archive(reinterpret_cast<const char*>(&header), sizeof header);
  archive += content;
  const std::size_t blocks = (archive.size() + k_block_bytes - 1) / k_block_bytes;
  archive.resize((blocks + 2) * k_block_bytes);  // two empty blocks end it
  return archive;
}

Awaitable<std::string> provide_reclaim_image(Ctx ctx, engine::DockerClient& engine) {
  std::string archive = make_program_archive(k_reclaim_program.substr(1), program());
  const oci::Digest digest = oci::Digest::of(archive);
  const std::string repository(k_repository);
  const std::string tag(digest.hex().substr(0, 12));
  const std::string name = repository + ":" + tag;
  if (const auto id = co_await find_genuine(ctx, engine, name, digest.to_string())) {
    co_return *id;
  }
  std::vector<std::string> changes{fmt::format("LABEL {}=reclaim", k_helper_label)};
  co_await uninterrupted(
      engine.import_image(ctx, std::move(archive), repository, tag, std::move(changes)));
  if (const auto id = co_await find_genuine(ctx, engine, name, digest.to_string())) {
    co_return *id;
  }
  throw Error(
      ErrorCode::corrupt_data,
      fmt::format("the Docker engine made something else of image '{}'", name));
}

}  // namespace freshet::pipeline
