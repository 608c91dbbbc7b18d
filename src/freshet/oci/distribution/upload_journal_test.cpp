// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/upload_journal.hpp"

#include "freshet/base/testing/temp_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace freshet::oci {
namespace {

class FileUploadJournalTest : public ::testing::Test {
 protected:
  const UploadKey key_{"r.example", "team/app", Digest::of("x")};
  const UnfinishedUpload upload_{"/v2/u/1?state=a", 17};
  freshet::testing::TempDirectory directory_;
};

TEST_F(FileUploadJournalTest, remembers_across_runs) {
  {
    FileUploadJournal first(directory_.path() / "uploads");
    EXPECT_EQ(first.find(key_), std::nullopt);
    first.remember(key_, upload_);
  }
  FileUploadJournal second(directory_.path() / "uploads");
  EXPECT_EQ(second.find(UploadKey{"r.example", "team/other", key_.digest}), std::nullopt);
  EXPECT_EQ(second.find(key_), upload_);
}

TEST_F(FileUploadJournalTest, gives_an_upload_to_one_owner_at_a_time) {
  FileUploadJournal first(directory_.path());
  first.remember(key_, upload_);
  FileUploadJournal second(directory_.path());
  EXPECT_EQ(second.find(key_), std::nullopt);
  EXPECT_EQ(first.find(key_), std::nullopt);
  second.remember(key_, UnfinishedUpload{"/v2/u/2", 0});  // changes nothing
  second.forget(key_);
  first.forget(key_);
  second.remember(key_, upload_);
  EXPECT_EQ(first.find(key_), std::nullopt);
}

TEST_F(FileUploadJournalTest, forgets) {
  FileUploadJournal journal(directory_.path());
  journal.remember(key_, upload_);
  journal.forget(key_);
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(FileUploadJournalTest, leaves_no_locks_behind_of_uploads_that_ended_with_their_program) {
  const auto count = [&] {
    return std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator());
  };
  const UploadKey young{"r.example", "team/young", Digest::of("y")};
  {
    FileUploadJournal journal(directory_.path());
    journal.remember(key_, upload_);
  }
  for (const auto& entry : fs::directory_iterator(directory_.path())) {
    fs::last_write_time(entry, fs::file_time_type::clock::now() - std::chrono::hours(25));
  }
  FileUploadJournal holder(directory_.path());
  EXPECT_EQ(count(), 0);
  holder.remember(young, upload_);
  FileUploadJournal other(directory_.path());
  EXPECT_EQ(count(), 2) << "what somebody is at stays";
}

TEST_F(FileUploadJournalTest, leaves_nothing_behind_of_programs_that_were_killed_while_they_wrote) {
  FileUploadJournal holder(directory_.path());
  holder.remember(key_, upload_);
  fs::path entry;
  for (const auto& file : fs::directory_iterator(directory_.path())) {
    if (file.path().extension() == ".json") {
      entry = file.path();
    }
  }
  const fs::path being_written = fs::path(entry).concat(".0123");
  const fs::path torn = directory_.path() / "4567.json.89ab";
  replace_private_file(being_written, "{");
  replace_private_file(torn, "{");

  FileUploadJournal other(directory_.path());

  EXPECT_TRUE(fs::exists(being_written)) << "somebody is at it";
  EXPECT_FALSE(fs::exists(torn));
  holder.forget(key_);
  fs::remove(being_written);
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(FileUploadJournalTest, keeps_its_files_from_others_and_believes_no_nonsense) {
  {
    FileUploadJournal journal(directory_.path());
    journal.remember(key_, upload_);
  }
  fs::path file;
  for (const auto& entry : fs::directory_iterator(directory_.path())) {
    if (entry.path().extension() == ".json") {
      file = entry.path();
    }
  }
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  for (const char* content :
       {"",
        "{}",
        R"({"location":"https://evil.example/","offset":0})",
        R"({"location":"/v2/u","offset":-1})"}) {
    replace_private_file(file, content);
    FileUploadJournal journal(directory_.path());
    EXPECT_EQ(journal.find(key_), std::nullopt) << content;
  }
}

}  // namespace
}  // namespace freshet::oci
