// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error_text.hpp"
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/faulty_proxy.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/oci/testing/mover_fakes.hpp"
#include "freshet/oci/testing/real_registry.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

namespace freshet::oci::testing {

/// Waits for a server that has gone silent for a second, where the program waits a minute or more.
class ImpatientHttp final : public net::HttpClient {
 public:
  explicit ImpatientHttp(asio::any_io_executor executor) : http_(std::move(executor)) {}

  Awaitable<net::HttpResponse> send(Ctx ctx, net::HttpRequest request) override {
    request.stall_limit = std::chrono::seconds(1);
    return http_.send(ctx, std::move(request));
  }
  Awaitable<std::unique_ptr<net::HttpStream>> open(Ctx ctx, net::HttpRequest request) override {
    request.stall_limit = std::chrono::seconds(1);
    return http_.open(ctx, std::move(request));
  }

 private:
  net::CurlHttpClient http_;
};

inline unsigned number_from(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::atoi(text));
}

/// Does not get smaller by compression.
inline std::string noise(unsigned seed, std::size_t bytes) {
  std::mt19937_64 random(seed);
  std::string text(bytes, '\0');
  for (char& each : text) {
    each = static_cast<char>(random());
  }
  return text;
}

inline std::vector<std::string> archives() {
  return {noise(1, 10'000), noise(2, 200'000), noise(3, 1'200'000)};
}

/// Moves images through connections that are spoilt at random, but repeatably, to a real registry.
/// FRESHET_FAULT_RUNS says how many runs a test makes (default 5), FRESHET_FAULT_SEED the first
/// seed; with FRESHET_FAULT_VERBOSE each failure that was told is printed.
class FaultTest : public ::testing::Test {
 protected:
  /// What is done again and again. `from` and `to` are one registry under two names, so that blobs
  /// are streamed from one to the other.
  using Move = std::function<MoveCounts(const Place& from, const Place& to)>;
  using FaultyProxy = net::testing::FaultyProxy;

  static void SetUpTestSuite() {
    if (RealRegistry::is_installed()) {
      registry_of_all_ = std::make_unique<RealRegistry>();
    }
  }
  static void TearDownTestSuite() { registry_of_all_.reset(); }
  void SetUp() override {
    if (registry_of_all_ == nullptr) {
      GTEST_SKIP() << RealRegistry::k_program << " is not installed";
    }
    use(*registry_of_all_);
  }
  /// Works with that registry from now on. It has the image of `archives()` as `source:v1`.
  void use(const RealRegistry& registry) {
    registry_ = &registry;
    ASSERT_NE(registry.authority(), "") << "docker-registry did not start";
    FakeImage image(archives());
    const MoveReport report = run(mover_.push(Ctx(), image, direct("source"), {"v1"}, {}, {}));
    digest_ = report.manifest.digest.to_string();
  }

  Place place(
      const std::string& authority, std::string repository, UploadJournal* journal = nullptr) {
    RegistryOptions options;
    options.journal = journal;
    options.retry.first_delay = std::chrono::milliseconds(1);
    options.retry.max_delay = std::chrono::milliseconds(20);
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
  static Ctx in_time() { return Ctx().within(std::chrono::seconds(60)); }

  /// Moves the image of that digest through other faults in every run, and looks at each outcome.
  void spoil_runs(const std::string& name, const std::string& digest, const Move& move) {
    const auto [reads, writes] = count_requests(name + "/undisturbed", move);
    ASSERT_GT(writes, 5);
    for (seed_ = first_; seed_ < first_ + runs_ && !HasFailure(); ++seed_) {
      const FaultyProxy from(registry_->authority(), net::testing::faults_of_run(seed_, reads));
      // By a prime, so that few runs already reach far.
      const FaultyProxy to(
          registry_->authority(), net::testing::faults_of_run(seed_ * 101, writes));
      const Place target = direct(fmt::format("{}/run{}", name, seed_));
      const std::string old = put_old(target);
      if (token_line_ != nullptr) {
        token_line_->spoil(net::testing::faults_of_run(seed_, token_requests_));
      }

      const std::string failure = failure_of([&] {
        move(place(from.authority(), "source"), place(to.authority(), target.repository));
      });

      if (token_line_ != nullptr) {
        token_line_->spoil({});
      }
      expect_right(target, digest, old, failure);
    }
    EXPECT_LE(failures_, runs_ / 10 + 1) << "most of it can be survived";
  }

  /// The digest under `reference` once all of the image was read and verified; empty without it.
  std::string whole_image(const Place& there, const std::string& reference) {
    const Ctx ctx = Ctx().within(std::chrono::seconds(30));
    const auto found = run(there.registry->find_manifest(ctx, there.repository, reference));
    if (!found) {
      return {};
    }
    const std::string digest = found->digest.to_string();
    const Manifest manifest = run(there.registry->get_manifest(ctx, there.repository, digest));
    const ParsedManifest parsed = parse_manifest(manifest.bytes, manifest.descriptor.media_type);
    for (const ManifestEntry& entry : parsed.manifests) {
      const std::string child = entry.descriptor.digest.to_string();
      EXPECT_EQ(whole_image(there, child), child) << "named by " << digest;
    }
    std::vector<ManifestEntry> blobs = parsed.layers;
    if (parsed.config) {
      blobs.push_back(*parsed.config);
    }
    for (const ManifestEntry& entry : blobs) {
      run(there.registry->get_blob(ctx, there.repository, entry.descriptor, 10'000'000));
    }
    return digest;
  }
  std::string state_of(const Place& there, const std::string& reference) {
    try {
      return whole_image(there, reference);
    } catch (const Error& error) {
      return "broken: " + error.message();
    }
  }

  /// Each of the two tags is wholly at the image or, `is_allowed`, where it was before; whatever
  /// other tags there are (lists of referrers) are whole, too.
  void expect_whole_tags(
      const Place& there, const std::string& digest, const std::string& old, bool is_allowed) {
    for (const char* tag : {"v1", "v2"}) {
      const std::string found = state_of(there, tag);
      EXPECT_TRUE(found == digest || (is_allowed && found == old))
          << "seed " << seed_ << ", tag " << tag << " at '" << found << "'";
    }
    for (const std::string& tag : tags_of(there)) {
      EXPECT_EQ(state_of(there, tag).substr(0, 7), "sha256:") << "seed " << seed_ << ", " << tag;
    }
  }

  /// In every second run the tags are at another image before; its digest.
  std::string put_old(const Place& there) {
    if (seed_ % 2 == 0) {
      return {};
    }
    FakeLayerMemory memory;
    ImageMover mover(pool_, memory);
    FakeImage old({noise(4, 3'000)});
    return run(mover.push(Ctx(), old, there, {"v1", "v2"}, {}, {})).manifest.digest.to_string();
  }

  static std::unique_ptr<RealRegistry> registry_of_all_;
  asio::io_context io_;
  asio::thread_pool pool_{2};
  ImpatientHttp http_{io_.get_executor()};
  FakeLayerMemory memory_;  // of what is in "source"
  ImageMover mover_{pool_, memory_};  // for what is made in advance
  const RealRegistry* registry_ = nullptr;
  std::string digest_;  // of `source:v1`
  MoveCounts undisturbed_;
  /// Whatever else has to be true after a run that succeeded.
  std::function<void(const Place& there)> expect_more_;
  FaultyProxy* token_line_ = nullptr;  // to the token server, where there is one
  int token_requests_ = 0;
  unsigned first_ = number_from("FRESHET_FAULT_SEED", 1);
  unsigned runs_ = number_from("FRESHET_FAULT_RUNS", 5);
  unsigned seed_ = 0;

 private:
  /// What `move` asks of the places it is given when nothing is spoilt.
  std::pair<int, int> count_requests(const std::string& repository, const Move& move) {
    const FaultyProxy from(registry_->authority(), {});
    const FaultyProxy to(registry_->authority(), {});
    if (token_line_ != nullptr) {
      token_line_->spoil({});
    }
    undisturbed_ = move(place(from.authority(), "source"), place(to.authority(), repository));
    token_requests_ = token_line_ == nullptr ? 0 : token_line_->requests();
    return {from.requests(), to.requests()};
  }

  std::vector<std::string> tags_of(const Place& there) {
    try {
      return run(there.registry->list_tags(in_time(), there.repository));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::not_found) << error.message();
      return {};
    }
  }

  /// Runs `move` and gives what it threw, as a person sees it; empty when it did not.
  std::string failure_of(const std::function<void()>& move) {
    try {
      move();
      return {};
    } catch (const Error& error) {
      const std::string told = to_terminal(error);
      EXPECT_EQ(told.substr(0, 7), "error: ");
      EXPECT_EQ(told.find("error: ", 1), std::string::npos) << told;
      EXPECT_NE(error.code(), ErrorCode::internal) << told;
      EXPECT_NE(error.code(), ErrorCode::deadline_exceeded) << told;
      EXPECT_NE(exit_code_of(error.code()), 2) << "nobody's input was bad: " << told;
      return fmt::format("{}, exit code {}", told, exit_code_of(error.code()));
    }
  }

  void expect_right(
      const Place& there,
      const std::string& digest,
      const std::string& old,
      const std::string& failure) {
    SCOPED_TRACE(failure);
    expect_whole_tags(there, digest, old, !failure.empty());
    if (failure.empty()) {
      if (expect_more_) {
        expect_more_(there);
      }
      return;
    }
    ++failures_;
    if (std::getenv("FRESHET_FAULT_VERBOSE") != nullptr) {
      std::fprintf(stderr, "seed %u: %s\n", seed_, failure.c_str());
    }
  }

  unsigned failures_ = 0;
};

inline std::unique_ptr<RealRegistry> FaultTest::registry_of_all_;

}  // namespace freshet::oci::testing
