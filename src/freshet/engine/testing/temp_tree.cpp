// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/testing/temp_tree.hpp"

#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace freshet::engine {

TempTree::TempTree() {
  std::string name = (fs::temp_directory_path() / "freshet-tree-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make a temporary directory");
  }
  path_ = name;
}

TempTree::~TempTree() {
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(path_, ignored)) {
    if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) {
      fs::permissions(entry.path(), fs::perms::owner_all, ignored);
    }
  }
  fs::remove_all(path_, ignored);
}

fs::path TempTree::place(const std::string& name) {
  const fs::path out = path_ / name;
  fs::create_directories(out.parent_path());
  return out;
}

void TempTree::file(const std::string& name, std::string_view content) {
  std::ofstream(place(name), std::ios::binary)
      .write(content.data(), static_cast<std::streamsize>(content.size()));
}

void TempTree::directory(const std::string& name) {
  fs::create_directories(path_ / name);
}

void TempTree::link(const std::string& name, const std::string& target) {
  fs::create_symlink(target, place(name));
}

void TempTree::hard_link(const std::string& name, const std::string& first) {
  fs::create_hard_link(path_ / first, place(name));
}

void TempTree::fifo(const std::string& name) {
  ::mkfifo(place(name).c_str(), 0600);
}

void TempTree::socket(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  place(name).string().copy(address.sun_path, sizeof address.sun_path - 1);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

AsNobody::AsNobody() : before_(::setfsuid(65534)) {}

AsNobody::~AsNobody() {
  ::setfsuid(static_cast<uid_t>(before_));
}

}  // namespace freshet::engine
