// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_tar.hpp"

#include "freshet/base/testing/run.hpp"
#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/tar_maker.hpp"
#include "freshet/oci/layers/testing/memory_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using freshet::testing::run;
using oci::testing::stream_of;
using ::testing::ElementsAre;
using testing::failure_of;
using testing::TarMaker;

/// `name=content` of each file, and the bare name of what is none.
Awaitable<std::vector<std::string>> list(std::string archive, std::size_t piece) {
  TarReader reader(stream_of(std::move(archive), piece));
  std::vector<std::string> members;
  for (;;) {
    const std::optional<TarMember> member = co_await reader.next();
    if (!member) {
      co_return members;
    }
    members.push_back(member->name);
    if (member->is_file) {
      members.back() += "=";
      members.back() += co_await reader.read_all(1000);
    }
  }
}

std::vector<std::string> members_of(std::string archive, std::size_t piece = 65536) {
  return run(list(std::move(archive), piece));
}

std::string failure_for(std::string archive) {
  return failure_of([&] { members_of(std::move(archive)); });
}

TEST(TarReader, reads_members_in_whatever_pieces_they_come) {
  const std::string archive = TarMaker()
                                  .add("./a", "first")
                                  .add("d/", "", '5')
                                  .add("d/b", std::string(512, 'b'))
                                  .add("l", "", '2')
                                  .add("e", "")
                                  .finish();
  for (const std::size_t piece : {1, 7, 512, 65536}) {
    EXPECT_THAT(
        members_of(archive, piece),
        ElementsAre("a=first", "d/", "d/b=" + std::string(512, 'b'), "l", "e="));
  }
}

TEST(TarReader, understands_long_names_and_sizes_of_all_kinds) {
  const std::string name(300, 'n');
  EXPECT_THAT(
      members_of(TarMaker().add("L", name + std::string(1, '\0'), 'L').add("n", "gnu").finish()),
      ElementsAre(name + "=gnu"));
  EXPECT_THAT(
      members_of(TarMaker().add_pax("path", name).add("n", "pax").add("m", "next").finish()),
      ElementsAre(name + "=pax", "m=next"));
  EXPECT_THAT(
      members_of(TarMaker().set_prefix("some/where").add("n", "x").finish()),
      ElementsAre("some/where/n=x"));
  std::string archive = TarMaker().add_pax("size", "3").add_header("n", "00000000000").unfinished();
  archive += "abc" + std::string(509, '\0');
  EXPECT_THAT(members_of(archive + TarMaker().finish()), ElementsAre("n=abc"));
  archive = TarMaker().add_header("n", std::string("\x80\0\0\0\0\0\0\0\0\0\0\3", 12)).unfinished();
  archive += "abc" + std::string(509, '\0');
  EXPECT_THAT(members_of(archive + TarMaker().finish()), ElementsAre("n=abc"));
}

TEST(TarReader, skips_what_nobody_reads) {
  const std::string archive =
      TarMaker().add("a", std::string(1'000'000, 'a')).add("b", "b").finish();
  TarReader reader(stream_of(archive));
  EXPECT_EQ(run(reader.next())->size_bytes, 1'000'000U);
  EXPECT_EQ(run(reader.next())->name, "b");
}

TEST(TarReader, refuses_what_is_cut_short_or_no_archive) {
  const std::string archive = TarMaker().add("a", "content").finish();
  const std::string cut_short = "corrupt_data: the tar archive is damaged: it is cut short";
  for (const std::size_t size : {0, 1, 511, 512, 515, 1023, 1024, 1500}) {
    EXPECT_EQ(failure_for(archive.substr(0, size)), cut_short) << size;
  }
  EXPECT_EQ(
      failure_for(std::string(2000, 'x')),
      "corrupt_data: the tar archive is damaged: a number in a header is none");
  std::string wrong = archive;
  wrong[3] = 'x';
  EXPECT_EQ(
      failure_for(wrong),
      "corrupt_data: the tar archive is damaged: the checksum of a header is wrong");
}

TEST(TarReader, refuses_sizes_and_counts_beyond_reason) {
  const std::string large = "corrupt_data: the tar archive is damaged: a member is too large";
  EXPECT_EQ(failure_for(TarMaker().add_header("a", std::string(12, '\xff')).finish()), large);
  EXPECT_EQ(
      failure_for(TarMaker().add_pax("size", "9999999999999999").add("a", "").finish()), large);
  EXPECT_EQ(
      failure_for(TarMaker().add("a", std::string(1001, 'a')).finish()),
      "corrupt_data: the tar archive is damaged: a member has 1001 bytes where the limit is 1000 "
      "bytes");
  EXPECT_EQ(
      failure_for(TarMaker().add_pax("path", std::string(5000, 'n')).add("a", "").finish()),
      "corrupt_data: the tar archive is damaged: a name is too long");
  TarMaker many;
  for (int i = 0; i <= 100'000; ++i) {
    many.add("a", "");
  }
  EXPECT_EQ(
      failure_for(many.finish()),
      "corrupt_data: the tar archive is damaged: it has more than 100000 members");
}

TEST(TarReader, refuses_malformed_extension_headers) {
  const std::string malformed =
      "corrupt_data: the tar archive is damaged: an extension header is malformed";
  for (const int error : {-3, -1, 2, 1000}) {
    EXPECT_EQ(failure_for(TarMaker().add_pax("path", "n", error).add("a", "").finish()), malformed);
  }
  EXPECT_EQ(failure_for(TarMaker().add_pax("size", "-1").add("a", "").finish()), malformed);
  EXPECT_EQ(failure_for(TarMaker().add_pax("size", "1x").add("a", "").finish()), malformed);
  EXPECT_EQ(failure_for(TarMaker().add("x", "no record", 'x').finish()), malformed);
  EXPECT_EQ(
      failure_for(TarMaker().add_pax("GNU.sparse.major", "1").add("a", "").finish()),
      "corrupt_data: the tar archive is damaged: it has a sparse member");
}

}  // namespace
}  // namespace freshet::engine
