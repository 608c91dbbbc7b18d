// SPDX-License-Identifier: Apache-2.0
// The program that runs as root in a container and gives files to the user that Freshet runs as.
//
// usage: reclaim tree|directory UID GID ROOT PATH
//
// PATH is below ROOT. Says what could not be changed and ends with 1 when there is any.
#include "freshet/pipeline/run/reclaim/ownership.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using freshet::pipeline::Owner;

constexpr int k_usage_code = 2;
constexpr int k_max_told = 10;

int told = 0;

void tell(const char* name, int error) {
  if (told++ < k_max_told) {
    std::fprintf(stderr, "%s: %s\n", name, std::strerror(error));
  }
}

bool parse_id(const char* text, unsigned& id) {
  char* end = nullptr;
  errno = 0;
  const unsigned long value = std::strtoul(text, &end, 10);
  id = static_cast<unsigned>(value);
  return errno == 0 && end != text && *end == '\0' && id == value;
}

}  // namespace

int main(int argc, char** argv) {
  Owner owner{};
  if (argc != 6 || !parse_id(argv[2], owner.user) || !parse_id(argv[3], owner.group)) {
    return k_usage_code;
  }
  const bool is_tree = std::strcmp(argv[1], "tree") == 0;
  if (!is_tree && std::strcmp(argv[1], "directory") != 0) {
    return k_usage_code;
  }
  const int root = ::open(argv[4], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int directory = root < 0 ? -1 : freshet::pipeline::open_directory_below(root, argv[5]);
  if (directory < 0) {
    tell(argv[5], errno);
    return 1;
  }
  const bool done = is_tree ? freshet::pipeline::take_tree(directory, owner, tell)
                            : freshet::pipeline::take_directory(directory, owner, tell);
  return done ? 0 : 1;
}
