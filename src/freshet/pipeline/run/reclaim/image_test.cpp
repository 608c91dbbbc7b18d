// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/reclaim/image.hpp"

#include "freshet/base/files.hpp"
#include "freshet/base/ids.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace freshet::pipeline {
namespace {

TEST(ProgramArchive, is_what_tar_unpacks_to_an_executable_of_roots) {
  const fs::path folder = fs::temp_directory_path() / ("freshet-archive-" + make_id());
  make_private_directory(folder);
  const std::string content = "#!/bin/sh\necho it works\n" + std::string(1000, '#');
  std::ofstream(folder / "a.tar", std::ios::binary) << make_program_archive("tool", content);
  const auto shell = [&](const std::string& command) {
    return std::system(("cd '" + folder.string() + "' && " + command).c_str());
  };
  EXPECT_EQ(shell("tar -tvf a.tar > list && grep -q '^-rwxr-xr-x 0/0 .* tool$' list"), 0)
      << load_file(folder / "list", 1000);
  EXPECT_EQ(shell("tar -xf a.tar && ./tool > out"), 0);
  EXPECT_EQ(load_file(folder / "out", 1000), "it works\n");
  EXPECT_EQ(load_file(folder / "tool", 10000), content);
  remove_tree(folder);
}

TEST(ProgramArchive, is_the_same_every_time_and_ends_with_two_empty_blocks) {
  const std::string archive = make_program_archive("tool", std::string(512, 'x'));
  EXPECT_EQ(archive, make_program_archive("tool", std::string(512, 'x')));
  EXPECT_EQ(archive.size(), 4U * 512);
  EXPECT_EQ(archive.substr(1024), std::string(1024, '\0'));
}

}  // namespace
}  // namespace freshet::pipeline
