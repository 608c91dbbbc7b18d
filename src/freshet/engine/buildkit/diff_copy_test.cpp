// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/diff_copy.hpp"

#include "freshet/engine/buildkit/testing/fake_builder.hpp"
#include "freshet/engine/testing/temp_tree.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

namespace freshet::engine {
namespace {

using testing::ElementsAre;

class DiffCopyCall : public testing::Test {
 protected:
  FakeBuilder& builder() {
    if (!builder_) {
      SessionContent content;
      content.trees["context"] = std::make_shared<DirectoryTree>(tree_.path());
      builder_ = std::make_unique<FakeBuilder>(std::move(content));
    }
    return *builder_;
  }

  const TransferCount& sent() { return builder().server().context_sent(); }

  TempTree tree_;
  std::unique_ptr<FakeBuilder> builder_;
};

TEST_F(DiffCopyCall, lists_sends_and_finishes) {
  tree_.file("a/x", "abc");
  tree_.link("b", "a/x");
  auto transfer = builder().sync("context");
  EXPECT_EQ(transfer.next(), "STAT a");
  EXPECT_EQ(transfer.next(), "STAT a/x");
  EXPECT_EQ(transfer.next(), "STAT b");
  EXPECT_EQ(transfer.next(), "STAT");
  transfer.request(1);
  EXPECT_EQ(transfer.next(), "DATA 1 abc");
  EXPECT_EQ(transfer.next(), "DATA 1");
  transfer.finish_files();
  EXPECT_EQ(transfer.next(), "FIN");
  EXPECT_EQ(transfer.next(), "end");
  EXPECT_TRUE(transfer.status().ok());
  EXPECT_EQ(sent().bytes, 3u);
  EXPECT_EQ(sent().files, 1u);
}

TEST_F(DiffCopyCall, fills_every_field_of_a_listing) {
  tree_.file("a", "12345");
  tree_.hard_link("b", "a");
  auto transfer = builder().sync("context");
  FakeBuilder::Packet packet;
  ASSERT_TRUE(transfer.read(packet));
  EXPECT_EQ(packet.stat().size(), 5);
  EXPECT_EQ(packet.stat().mode(), 0644u);
  EXPECT_GT(packet.stat().mod_time(), 1'000'000'000'000'000'000);
  EXPECT_EQ(packet.stat().uid(), 0u);
  EXPECT_EQ(packet.stat().gid(), 0u);
  EXPECT_EQ(packet.stat().linkname(), "");
  ASSERT_TRUE(transfer.read(packet));
  EXPECT_EQ(packet.stat().linkname(), "a");
  EXPECT_EQ(packet.stat().size(), 0);
  transfer.hang_up();
}

TEST_F(DiffCopyCall, ends_the_listing_of_nothing) {
  auto transfer = builder().sync("context");
  EXPECT_EQ(transfer.next(), "STAT");
  transfer.finish_files();
  EXPECT_EQ(transfer.next(), "FIN");
  EXPECT_TRUE(transfer.status().ok());
}

TEST_F(DiffCopyCall, answers_requests_that_come_before_the_listing_has_ended) {
  constexpr int k_files = 5000;
  for (int i = 0; i < k_files; ++i) {
    tree_.file(fmt::format("{:05}", i), fmt::format("content {}", i));
  }
  auto transfer = builder().sync("context");
  std::map<std::uint32_t, std::string> received;
  std::uint32_t listed = 0;
  int open = 0;
  bool is_listed = false;
  FakeBuilder::Packet packet;
  while ((!is_listed || open > 0) && transfer.read(packet)) {
    if (packet.type() == FakeBuilder::Packet::DATA) {
      received[packet.id()] += packet.data();
      open -= packet.data().empty() ? 1 : 0;
    } else if (packet.has_stat()) {
      transfer.request(listed++);
      ++open;
    } else {
      is_listed = true;
    }
  }
  transfer.finish_files();
  EXPECT_EQ(transfer.next(), "FIN");
  ASSERT_EQ(received.size(), std::size_t{k_files});
  EXPECT_EQ(received[0], "content 0");
  EXPECT_EQ(received[4999], "content 4999");
}

TEST_F(DiffCopyCall, sends_large_files_in_chunks) {
  std::string large(1'000'000, 'x');
  large[999'999] = 'y';
  tree_.file("large", large);
  auto transfer = builder().sync("context");
  transfer.listing();
  transfer.request(0);
  EXPECT_EQ(transfer.data(0), large);
  EXPECT_EQ(sent().bytes, 1'000'000u);
  transfer.hang_up();
}

TEST_F(DiffCopyCall, keeps_chunks_below_what_old_daemons_take) {
  tree_.file("large", std::string(1'000'000, 'x'));
  auto transfer = builder().sync("context");
  transfer.listing();
  transfer.request(0);
  FakeBuilder::Packet packet;
  while (transfer.read(packet) && !packet.data().empty()) {
    EXPECT_LE(packet.data().size(), 256u * 1024);
  }
  transfer.hang_up();
}

TEST_F(DiffCopyCall, sends_only_the_end_of_an_empty_file_and_of_a_socket) {
  tree_.file("empty");
  tree_.socket("socket");
  auto transfer = builder().sync("context");
  EXPECT_THAT(transfer.listing(), ElementsAre("empty", "socket"));
  transfer.request(0);
  EXPECT_EQ(transfer.next(), "DATA 0");
  transfer.request(1);
  EXPECT_EQ(transfer.next(), "DATA 1");
  transfer.hang_up();
}

TEST_F(DiffCopyCall, sends_what_was_requested_before_it_finishes) {
  tree_.file("a", "1");
  tree_.file("b", "2");
  auto transfer = builder().sync("context");
  transfer.listing();
  transfer.request(0);
  transfer.request(1);
  transfer.finish_files();
  EXPECT_EQ(transfer.next(), "DATA 0 1");
  EXPECT_EQ(transfer.next(), "DATA 0");
  EXPECT_EQ(transfer.next(), "DATA 1 2");
  EXPECT_EQ(transfer.next(), "DATA 1");
  EXPECT_EQ(transfer.next(), "FIN");
}

TEST_F(DiffCopyCall, names_a_file_that_vanished_after_the_listing) {
  tree_.file("a", "1");
  auto transfer = builder().sync("context");
  transfer.listing();
  fs::remove(tree_.path() / "a");
  transfer.request(0);
  EXPECT_EQ(transfer.next(), "ERR 'a' of the build context vanished while it was sent");
  transfer.refuse("context canceled");
  EXPECT_EQ(transfer.next(), "end");
  EXPECT_EQ(
      transfer.status().error_message(), "'a' of the build context vanished while it was sent");
  ASSERT_TRUE(builder().server().failure());
  EXPECT_EQ(builder().server().failure()->code(), ErrorCode::not_found);
}

TEST_F(DiffCopyCall, names_a_listing_that_failed) {
  class BrokenTree : public FileTree {
   public:
    void list(const FileFilter&, const EntrySink&) const override {
      throw Error(ErrorCode::forbidden, "cannot read 'd'");
    }
    std::unique_ptr<FileContent> open(const std::string&) const override { return nullptr; }
  };
  SessionContent content;
  content.trees["context"] = std::make_shared<BrokenTree>();
  FakeBuilder builder(std::move(content));
  auto transfer = builder.sync("context");
  EXPECT_EQ(transfer.next(), "ERR cannot read 'd'");
  transfer.hang_up();
}

TEST_F(DiffCopyCall, refuses_a_request_for_a_directory) {
  tree_.directory("a");
  auto transfer = builder().sync("context");
  transfer.listing();
  transfer.request(0);
  EXPECT_EQ(transfer.next(), "ERR the builder asked for entry 0, which is no file");
  transfer.hang_up();
}

TEST_F(DiffCopyCall, ends_when_the_builder_gives_up) {
  tree_.file("a", "1");
  auto transfer = builder().sync("context");
  transfer.refuse("no space left");
  while (transfer.next() != "end") {
  }
  EXPECT_EQ(transfer.status().error_message(), "the transfer was given up");
  EXPECT_FALSE(builder().server().failure());
}

TEST_F(DiffCopyCall, ends_when_the_session_is_closed_in_the_middle_of_a_file) {
  tree_.file("large", std::string(30'000'000, 'x'));
  auto transfer = builder().sync("context");
  transfer.listing();
  transfer.request(0);
  FakeBuilder::Packet packet;
  ASSERT_TRUE(transfer.read(packet));
  const auto before = std::chrono::steady_clock::now();
  builder().close_server();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
  while (transfer.read(packet)) {
  }
  EXPECT_FALSE(transfer.status().ok());
}

TEST_F(DiffCopyCall, may_run_several_times_at_once) {
  tree_.file("a", "1");
  auto first = builder().sync("context");
  auto second = builder().sync("context");
  EXPECT_EQ(first.next(), "STAT a");
  EXPECT_EQ(second.next(), "STAT a");
  first.hang_up();
  second.hang_up();
}

}  // namespace
}  // namespace freshet::engine
