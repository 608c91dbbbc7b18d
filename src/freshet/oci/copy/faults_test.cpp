// SPDX-License-Identifier: Apache-2.0
// Pushes and copies through a connection that is spoilt at random, but repeatably, to a real
// registry.
#include "freshet/oci/testing/fault_fixture.hpp"
#include "freshet/oci/testing/mover_fixture.hpp"
#include "freshet/oci/testing/token_issuer.hpp"

namespace freshet::oci {
namespace {

using net::testing::FaultyProxy;
using testing::archives;
using testing::FakeImage;
using testing::FakeLayerMemory;
using testing::noise;
using testing::RealRegistry;
using testing::TokenIssuer;

constexpr std::string_view k_layer = "application/vnd.oci.image.layer.v1.tar+gzip";

class Faults : public testing::FaultTest {
 protected:
  MoveReport push(const Place& to) {
    FakeLayerMemory memory;
    ImageMover mover(pool_, memory);
    return run(mover.push(in_time(), image_, to, {"v1", "v2"}, {}, {}));
  }
  MoveReport copy(
      const Place& from, const std::string& reference, const Place& to, CopyOptions options = {}) {
    FakeLayerMemory memory;
    ImageMover mover(pool_, memory);
    return run(mover.copy(in_time(), from, reference, to, {"v1", "v2"}, std::move(options), {}));
  }

  /// `source:both`
  Manifest put_index() {
    std::vector<ManifestEntry> entries;
    for (const char* architecture : {"amd64", "arm64"}) {
      const bool is_first = entries.empty();
      FakeImage image({noise(1, 10'000), noise(is_first ? 5 : 6, 300'000)});
      const MoveReport report = run(mover_.push(in_time(), image, direct("source"), {}, {}, {}));
      entries.push_back(ManifestEntry{report.manifest, Platform{"linux", architecture, ""}});
    }
    Manifest index = make_index(entries);
    const Place source = direct("source");
    run_void(source.registry->put_manifest(in_time(), source.repository, "both", index));
    return index;
  }

  /// What refers to `subject`, with a layer of its own, in "source".
  Descriptor put_referrer(const Descriptor& subject, const std::string& content) {
    const Place source = direct("source");
    MemoryBlob layer{std::string(k_layer), content};
    MemoryBlob config{"application/vnd.oci.empty.v1+json", "{}"};
    for (BlobSource* blob : {&layer, &config}) {
      run(source.registry->push_blob(in_time(), source.repository, *blob));
    }
    std::string bytes = fmt::format(
        R"({{"schemaVersion":2,"mediaType":"{}","artifactType":"application/x-signature",)"
        R"("config":{},"layers":[{}],"subject":{}}})",
        testing::k_oci_manifest,
        testing::part_json(*config.known()),
        testing::part_json(*layer.known()),
        testing::part_json(subject));
    const Manifest manifest{
        Descriptor{testing::k_oci_manifest, Digest::of(bytes), bytes.size()}, bytes};
    const std::string digest = manifest.descriptor.digest.to_string();
    run_void(source.registry->put_manifest(in_time(), source.repository, digest, manifest));
    return manifest.descriptor;
  }

  void run_void(Awaitable<void> operation) { net::testing::run_on(io_, std::move(operation)); }

  FakeImage image_{archives()};
};

TEST_F(Faults, never_make_a_push_end_in_a_wrong_image) {
  spoil_runs("push", digest_, [&](const Place&, const Place& to) { return push(to); });
  EXPECT_EQ(undisturbed_.blobs_uploaded, 4);
}

TEST_F(Faults, never_make_a_push_with_tokens_end_in_a_wrong_image) {
  TokenIssuer issuer(std::string(RealRegistry::k_user) + ":" + RealRegistry::k_password);
  FaultyProxy line(issuer.authority(), {});
  token_line_ = &line;
  const RealRegistry registry(RealRegistry::TokenAuth{
      fmt::format("http://{}/token", line.authority()),
      TokenIssuer::k_service,
      TokenIssuer::k_issuer,
      issuer.root_certificate()});
  use(registry);

  spoil_runs("tokens", digest_, [&](const Place& from, const Place& to) {
    copy(from, "v1", Place{to.registry, to.repository + "/first"});
    return push(to);
  });

  EXPECT_GT(token_requests_, 2);
}

TEST_F(Faults, never_make_a_push_that_mounts_end_in_a_wrong_image) {
  std::vector<KnownLayer> known;
  for (const Digest& diff_id : image_.diff_ids()) {
    known.push_back(memory_.find(diff_id, registry_->authority(), "source").front());
  }
  spoil_runs("mount", digest_, [&](const Place&, const Place& to) {
    FakeLayerMemory memory;
    for (KnownLayer layer : known) {
      layer.domain = to.registry->domain();
      memory.remember(layer);
    }
    ImageMover mover(pool_, memory);
    PushOptions options;
    options.neighbours.push_back(Place{to.registry, "source"});
    return run(mover.push(in_time(), image_, to, {"v1", "v2"}, std::move(options), {}));
  });
  EXPECT_EQ(undisturbed_.blobs_mounted, 3);
}

TEST_F(Faults, never_make_a_copy_end_in_a_wrong_image) {
  spoil_runs(
      "copy", digest_, [&](const Place& from, const Place& to) { return copy(from, "v1", to); });
  EXPECT_EQ(undisturbed_.blobs_copied + undisturbed_.blobs_uploaded, 4);
}

TEST_F(Faults, never_make_a_copy_within_a_registry_end_in_a_wrong_image) {
  spoil_runs("within", digest_, [&](const Place&, const Place& to) {
    return copy(Place{to.registry, "source"}, "v1", to);
  });
  EXPECT_EQ(undisturbed_.blobs_mounted, 4);
}

TEST_F(Faults, never_make_a_copy_of_all_platforms_end_in_a_wrong_image) {
  const std::string digest = put_index().descriptor.digest.to_string();
  spoil_runs(
      "index", digest, [&](const Place& from, const Place& to) { return copy(from, "both", to); });
  EXPECT_EQ(undisturbed_.blobs_copied + undisturbed_.blobs_uploaded, 5);
}

TEST_F(Faults, never_make_a_copy_with_referrers_end_in_a_wrong_image) {
  const Descriptor image = put_index().descriptor;
  const std::vector<Descriptor> signatures{
      put_referrer(image, "one signature"), put_referrer(image, "another one")};
  const Descriptor of_signature = put_referrer(signatures.front(), "a signature of a signature");
  expect_more_ = [&](const Place& there) {
    const auto listed = [&](const Descriptor& subject) {
      return run(there.registry->list_referrers(in_time(), there.repository, subject.digest));
    };
    EXPECT_EQ(listed(image), signatures) << "seed " << seed_;
    EXPECT_EQ(listed(signatures.front()), std::vector{of_signature}) << "seed " << seed_;
  };
  CopyOptions options;
  options.referrers = true;

  spoil_runs("referrers", image.digest.to_string(), [&](const Place& from, const Place& to) {
    return copy(from, "both", to, options);
  });

  EXPECT_EQ(undisturbed_.referrers, 3);
}

}  // namespace
}  // namespace freshet::oci
