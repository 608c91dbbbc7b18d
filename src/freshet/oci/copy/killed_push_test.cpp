// SPDX-License-Identifier: Apache-2.0
// A push whose process is killed in the middle, and the next process that does the same. The
// registry drops uploads that were broken off in a request: what it kept of one is never used here.
#include "freshet/base/testing/temp_directory.hpp"
#include "freshet/oci/distribution/upload_journal.hpp"
#include "freshet/oci/testing/fault_fixture.hpp"

#include <atomic>

namespace freshet::oci {
namespace {

using net::testing::Fault;
using net::testing::FaultyProxy;
using testing::FakeImage;
using testing::FakeLayerMemory;
using testing::noise;

// Set in the process that is this program once more, to be killed while it pushes.
constexpr const char* k_registry = "FRESHET_TEST_PUSH_TO";
constexpr const char* k_repository = "FRESHET_TEST_PUSH_AS";
constexpr const char* k_journal = "FRESHET_TEST_JOURNAL";

constexpr std::uint64_t k_large = 9UL * 1024 * 1024;  // worth remembering how far it got
constexpr unsigned k_kinds = 3;
constexpr std::array<Fault, k_kinds> k_moments{
    Fault::lose_request, Fault::cut_request, Fault::lose_answer};

/// Kept as registries keep it, so that its digests are known before the push.
FakeImage make_image() {
  FakeImage image({"large", "small"});
  image.keep({noise(7, k_large), noise(8, 20'000)}, "application/vnd.oci.image.layer.v1.tar+gzip");
  return image;
}

class KilledPush : public testing::FaultTest {
 protected:
  static bool is_victim() { return std::getenv(k_registry) != nullptr; }
  static void SetUpTestSuite() {
    if (!is_victim()) {
      FaultTest::SetUpTestSuite();
    }
  }
  void SetUp() override {
    if (is_victim()) {
      push_as_victim();
      GTEST_SKIP();
    }
    FaultTest::SetUp();
    FakeImage image = make_image();
    digest_ = run(image.manifest(Ctx())).value().descriptor.digest.to_string();
  }

  void push_as_victim() {
    FileUploadJournal journal(std::getenv(k_journal));
    FakeLayerMemory memory;
    ImageMover mover(pool_, memory);
    FakeImage image = make_image();
    const Place to = place(std::getenv(k_registry), std::getenv(k_repository), &journal);
    run(mover.push(in_time(), image, to, {"v1", "v2"}, {}, {}));
  }

  /// Pushes in a process of its own, which is killed when a fault strikes; whether it was not.
  bool push(FaultyProxy& line, const std::string& repository) {
    const auto test = ::testing::UnitTest::GetInstance()->current_test_info();
    std::vector<std::string> words{
        "oci_test", fmt::format("--gtest_filter={}.{}", test->test_suite_name(), test->name())};
    std::vector<std::string> more{
        fmt::format("{}={}", k_registry, line.authority()),
        fmt::format("{}={}", k_repository, repository),
        fmt::format("{}={}", k_journal, journal_.path().string())};
    for (char** each = environ; *each != nullptr; ++each) {
      if (!std::string_view(*each).starts_with("GTEST_")) {  // such as: only a part of the tests
        more.emplace_back(*each);
      }
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t process = -1;
    ::posix_spawn(
        &process,
        "/proc/self/exe",
        &actions,
        nullptr,
        pointers(words).data(),
        pointers(more).data());
    posix_spawn_file_actions_destroy(&actions);
    victim_ = process;
    victim_.notify_all();
    int status = -1;
    ::waitpid(process, &status, 0);
    victim_ = 0;
    const bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    EXPECT_TRUE(is_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << status;
    return !is_killed;
  }

  void kill_victim() {
    victim_.wait(0);  // it may ask before its parent knows its number
    ::kill(victim_, SIGKILL);
  }

  freshet::testing::TempDirectory journal_;

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) {
      out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
  }

  std::atomic<pid_t> victim_ = 0;
};

TEST_F(KilledPush, leaves_no_half_image_and_is_done_by_the_next_process) {
  FaultyProxy line(registry_->authority(), {}, [this] { kill_victim(); });
  ASSERT_TRUE(push(line, "killed/undisturbed"));
  const auto moments = static_cast<unsigned>(line.requests()) * k_kinds;
  unsigned killed = 0;

  for (seed_ = first_; seed_ < first_ + runs_ && !HasFailure(); ++seed_) {
    const Place target = direct(fmt::format("killed/run{}", seed_));
    const std::string old = put_old(target);
    const unsigned moment = seed_ * 101 % moments;
    line.spoil({{static_cast<int>(moment / k_kinds), k_moments[moment % k_kinds]}});
    const bool is_done = push(line, target.repository);
    killed += is_done ? 0 : 1;
    expect_whole_tags(target, digest_, old, !is_done);

    line.spoil({});
    EXPECT_TRUE(push(line, target.repository));
    expect_whole_tags(target, digest_, old, false);
    EXPECT_TRUE(fs::is_empty(journal_.path())) << "seed " << seed_;
  }
  EXPECT_GE(killed, runs_ / 2);  // what has no body is not cut
}

}  // namespace
}  // namespace freshet::oci
