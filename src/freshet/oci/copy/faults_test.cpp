// SPDX-License-Identifier: Apache-2.0
// Pushes and copies through a connection that is spoilt at random, but repeatably, to a real
// registry. FRESHET_FAULT_RUNS says how many runs (default 20), FRESHET_FAULT_SEED the first seed.
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/faulty_proxy.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/oci/testing/mover_fakes.hpp"
#include "freshet/oci/testing/real_registry.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;
using net::testing::FaultyProxy;
using testing::FakeImage;
using testing::FakeLayerMemory;
using testing::RealRegistry;

unsigned number_from(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::atoi(text));
}

/// Does not get smaller by compression.
std::string noise(unsigned seed, std::size_t bytes) {
  std::mt19937_64 random(seed);
  std::string text(bytes, '\0');
  for (char& each : text) {
    each = static_cast<char>(random());
  }
  return text;
}

std::vector<std::string> archives() {
  return {noise(1, 10'000), noise(2, 200'000), noise(3, 1'200'000)};
}

class Faults : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (RealRegistry::is_installed()) {
      registry_ = std::make_unique<RealRegistry>();
    }
  }
  static void TearDownTestSuite() { registry_.reset(); }
  void SetUp() override {
    if (registry_ == nullptr) {
      GTEST_SKIP() << RealRegistry::k_program << " is not installed";
    }
    ASSERT_NE(registry_->authority(), "") << "docker-registry did not start";
    FakeLayerMemory memory;
    ImageMover mover(pool_, memory);
    FakeImage image(archives());
    const MoveReport report = run(mover.push(Ctx(), image, direct("source"), {"v1"}, {}, {}));
    digest_ = report.manifest.digest.to_string();
  }

  Place place(const std::string& authority, std::string repository) {
    RegistryOptions options;
    options.retry.first_delay = 1ms;
    options.retry.max_delay = 20ms;
    const Credentials credentials{
        RealRegistry::k_user, Secret(std::string(RealRegistry::k_password))};
    return Place{
        std::make_shared<RegistryClient>(
            http_, authority, std::make_shared<FixedCredentials>(credentials), options),
        std::move(repository)};
  }
  Place direct(std::string repository) {
    return place(registry_->authority(), std::move(repository));
  }

  template <class T>
  T run(Awaitable<T> operation) {
    return net::testing::run_on(io_, std::move(operation));
  }

  /// The digest under `tag` once all of the image was read and verified; empty without such a tag.
  std::string whole_image(const Place& there, const std::string& tag) {
    const Ctx ctx = Ctx().within(30s);
    const auto found = run(there.registry->find_manifest(ctx, there.repository, tag));
    if (!found) {
      return {};
    }
    const std::string digest = found->digest.to_string();
    const Manifest manifest = run(there.registry->get_manifest(ctx, there.repository, digest));
    const ParsedManifest parsed = parse_manifest(manifest.bytes, manifest.descriptor.media_type);
    std::vector<ManifestEntry> blobs = parsed.layers;
    blobs.push_back(parsed.config.value());
    for (const ManifestEntry& entry : blobs) {
      run(there.registry->get_blob(ctx, there.repository, entry.descriptor, 10'000'000));
    }
    return digest;
  }

  /// Runs `move` and gives what it threw; empty when it did not.
  template <class Move>
  std::string failure_of(Move move) {
    try {
      move();
      return {};
    } catch (const Error& error) {
      EXPECT_FALSE(error.message().empty());
      EXPECT_NE(error.code(), ErrorCode::internal) << error.message();
      EXPECT_NE(error.code(), ErrorCode::deadline_exceeded) << error.message();
      return error.message();
    }
  }

  /// In every second run the tags are at another image before.
  std::string put_old(unsigned seed, const Place& there) {
    if (seed % 2 == 0) {
      return {};
    }
    FakeLayerMemory memory;
    ImageMover mover(pool_, memory);
    FakeImage old({noise(4, 3'000)});
    return run(mover.push(Ctx(), old, there, {"v1", "v2"}, {}, {})).manifest.digest.to_string();
  }

  /// What `move` asks of the places it is given when nothing is spoilt.
  template <class Move>
  std::pair<int, int> count_requests(const std::string& repository, Move move) {
    const FaultyProxy from(registry_->authority(), {});
    const FaultyProxy to(registry_->authority(), {});
    move(place(from.authority(), "source"), place(to.authority(), repository));
    return {from.requests(), to.requests()};
  }

  /// Each tag is wholly at the image or, after a failure only, where it was before.
  void expect_right(
      unsigned seed, const Place& there, const std::string& old, const std::string& failure) {
    for (const char* tag : {"v1", "v2"}) {
      const std::string found = whole_image(there, tag);
      const bool is_as_before = !failure.empty() && found == old;
      EXPECT_TRUE(found == digest_ || is_as_before)
          << "seed " << seed << ", tag " << tag << " at '" << found << "': " << failure;
    }
    failures_ += failure.empty() ? 0 : 1;
    if (!failure.empty() && std::getenv("FRESHET_FAULT_VERBOSE") != nullptr) {
      std::fprintf(stderr, "seed %u: %s\n", seed, failure.c_str());
    }
  }

  /// Most of it can be survived.
  void expect_few_failures() {
    RecordProperty("clear_errors", static_cast<int>(failures_));
    EXPECT_LE(failures_, runs_ / 10 + 1);
  }

  static std::unique_ptr<RealRegistry> registry_;
  std::string digest_;  // of the image in "source", and of the one that is pushed
  asio::io_context io_;
  asio::thread_pool pool_{2};
  net::CurlHttpClient http_{io_.get_executor()};
  unsigned first_ = number_from("FRESHET_FAULT_SEED", 1);
  unsigned runs_ = number_from("FRESHET_FAULT_RUNS", 20);
  unsigned failures_ = 0;
};

std::unique_ptr<RealRegistry> Faults::registry_;

TEST_F(Faults, never_make_a_push_end_in_a_wrong_image) {
  FakeImage image(archives());
  const auto push = [&](const Place&, const Place& to) {
    FakeLayerMemory memory;
    ImageMover mover(pool_, memory);
    run(mover.push(Ctx().within(60s), image, to, {"v1", "v2"}, {}, {}));
  };
  const int requests = count_requests("push/undisturbed", push).second;
  ASSERT_GT(requests, 10);

  for (unsigned seed = first_; seed < first_ + runs_ && !HasFailure(); ++seed) {
    const FaultyProxy proxy(registry_->authority(), net::testing::faults_of_run(seed, requests));
    const std::string repository = fmt::format("push/run{}", seed);
    const std::string old = put_old(seed, direct(repository));

    const std::string failure =
        failure_of([&] { push(direct("source"), place(proxy.authority(), repository)); });

    expect_right(seed, direct(repository), old, failure);
  }
  expect_few_failures();
}

TEST_F(Faults, never_make_a_copy_end_in_a_wrong_image) {
  const auto copy = [&](const Place& from, const Place& to) {
    FakeLayerMemory memory;
    ImageMover mover(pool_, memory);
    run(mover.copy(Ctx().within(60s), from, "v1", to, {"v1", "v2"}, {}, {}));
  };
  // One registry behind two names, so that blobs are streamed from one to the other.
  const auto [reads, writes] = count_requests("copy/undisturbed", copy);
  ASSERT_GT(reads, 5);
  ASSERT_GT(writes, 10);

  for (unsigned seed = first_; seed < first_ + runs_ && !HasFailure(); ++seed) {
    const FaultyProxy from(registry_->authority(), net::testing::faults_of_run(seed, reads));
    const FaultyProxy to(registry_->authority(), net::testing::faults_of_run(seed * 7, writes));
    const std::string repository = fmt::format("copy/run{}", seed);
    const std::string old = put_old(seed, direct(repository));

    const std::string failure = failure_of(
        [&] { copy(place(from.authority(), "source"), place(to.authority(), repository)); });

    expect_right(seed, direct(repository), old, failure);
  }
  expect_few_failures();
}

}  // namespace
}  // namespace freshet::oci
