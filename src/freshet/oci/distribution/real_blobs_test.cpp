// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_http_client.hpp"
#include "freshet/oci/testing/cutting_proxy.hpp"
#include "freshet/oci/testing/patient_client.hpp"
#include "freshet/oci/testing/real_registry.hpp"
#include "freshet/oci/testing/token_issuer.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;
using testing::CuttingProxy;
using testing::RealRegistry;
using testing::TokenIssuer;

constexpr std::size_t k_size = 20'000'000;
const std::string k_type = "application/vnd.oci.image.manifest.v1+json";

std::string content_of(char seed) {
  std::string content(k_size, '\0');
  std::uint32_t state = static_cast<unsigned char>(seed);
  for (char& byte : content) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return content;
}

/// What is only known once it was read.
class MadeBlob final : public BlobSource {
 public:
  explicit MadeBlob(std::string bytes) : made_("", std::move(bytes)) {}

  std::optional<Descriptor> known() const override { return std::nullopt; }
  Awaitable<std::unique_ptr<net::ByteStream>> open(Ctx ctx, std::uint64_t offset) override {
    return made_.open(ctx, offset);
  }

 private:
  MemoryBlob made_;
};

class RealBlobsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (RealRegistry::is_installed()) {
      registry_ = std::make_unique<RealRegistry>();
    }
  }
  static void TearDownTestSuite() { registry_.reset(); }

  void SetUp() override {
    if (registry_ == nullptr) {
      GTEST_SKIP() << RealRegistry::k_program
                   << " is not installed: apt-get install docker-registry";
    }
    ASSERT_NE(registry_->authority(), "") << "docker-registry did not start";
  }

  RegistryClient client(const std::string& authority) {
    Credentials credentials{RealRegistry::k_user, Secret(RealRegistry::k_password)};
    RegistryOptions options;
    options.retry.first_delay = 1ms;
    return RegistryClient(
        http_, authority, std::make_shared<FixedCredentials>(std::move(credentials)), options);
  }
  RegistryClient client() { return client(registry_->authority()); }

  template <class T>
  T run(Awaitable<T> operation) {
    return net::testing::run_on(io_, std::move(operation));
  }

  static Awaitable<std::string> download(
      RegistryClient& from, std::string repository, Descriptor blob) {
    auto stream = co_await from.open_blob(Ctx().within(60s), repository, blob);
    co_return co_await testing::read_all(std::move(stream), 65536);
  }

  Descriptor push(RegistryClient& to, std::string repository, std::string content) {
    MemoryBlob blob("application/octet-stream", std::move(content));
    return run(to.push_blob(Ctx{}.within(60s), std::move(repository), blob));
  }

  static std::unique_ptr<RealRegistry> registry_;
  asio::io_context io_;
  net::CurlHttpClient http_{io_.get_executor()};
};

std::unique_ptr<RealRegistry> RealBlobsTest::registry_;

TEST_F(RealBlobsTest, go_up_and_come_down_again) {
  RegistryClient there = client();
  const std::string content = content_of('a');
  const Descriptor pushed = push(there, "blobs/known", content);
  EXPECT_EQ(run(there.find_blob(Ctx{}.within(30s), "blobs/known", pushed.digest)), k_size);
  EXPECT_TRUE(run(download(there, "blobs/known", pushed)) == content);

  MadeBlob made(content_of('b'));
  const Descriptor learnt = run(there.push_blob(Ctx{}.within(60s), "blobs/made", made));
  EXPECT_EQ(learnt.digest, Digest::of(content_of('b')));
  EXPECT_TRUE(run(download(there, "blobs/made", learnt)) == content_of('b'));

  EXPECT_EQ(push(there, "blobs/small", "small").size_bytes, 5U);
  EXPECT_EQ(push(there, "blobs/small", "").size_bytes, 0U);
}

TEST_F(RealBlobsTest, go_up_over_a_line_that_is_cut) {
  const CuttingProxy proxy(registry_->authority(), {{5'000'000, 19'000'000, 36'000'000}, {}});
  RegistryClient there = client(proxy.authority());
  const Descriptor pushed = push(there, "cut/up", content_of('c'));
  EXPECT_EQ(proxy.cuts_done(), 3);
  RegistryClient direct = client();
  EXPECT_TRUE(run(download(direct, "cut/up", pushed)) == content_of('c'));
}

TEST_F(RealBlobsTest, come_down_over_a_line_that_is_cut) {
  RegistryClient direct = client();
  const Descriptor pushed = push(direct, "cut/down", content_of('d'));
  const CuttingProxy proxy(
      registry_->authority(), {{}, {1'000'000, 4'000'000, 9'000'000, 12'000'000, 19'500'000}});
  RegistryClient there = client(proxy.authority());
  EXPECT_TRUE(run(download(there, "cut/down", pushed)) == content_of('d'));
  EXPECT_EQ(proxy.cuts_done(), 5);
}

TEST_F(RealBlobsTest, are_mounted_from_a_neighbour_that_has_them) {
  RegistryClient there = client();
  const Descriptor pushed = push(there, "mount/from", "mountable");
  const Ctx ctx = Ctx{}.within(30s);
  EXPECT_TRUE(run(there.mount_blob(ctx, "mount/to", pushed.digest, "mount/from")));
  EXPECT_EQ(run(there.find_blob(ctx, "mount/to", pushed.digest)), pushed.size_bytes);
  EXPECT_FALSE(run(there.mount_blob(ctx, "mount/to", Digest::of("nobody's"), "mount/from")));
}

std::string image_json(const Descriptor& config, const std::string& more = "") {
  return fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":{}}},)"
      R"("layers":[]{}}})",
      k_type,
      "application/vnd.oci.image.config.v1+json",
      config.digest.to_string(),
      config.size_bytes,
      more);
}

Manifest manifest_of(std::string bytes) {
  const Descriptor descriptor{k_type, Digest::of(bytes), bytes.size()};
  return Manifest{descriptor, std::move(bytes)};
}

TEST_F(RealBlobsTest, make_images_to_which_signatures_refer) {
  RegistryClient there = client();
  const Ctx ctx = Ctx{}.within(30s);
  const Descriptor config = push(there, "signed/app", "{}");
  const Manifest image = manifest_of(image_json(config));
  run(there.put_manifest(ctx, "signed/app", "v1", image));
  EXPECT_EQ(run(there.get_manifest(ctx, "signed/app", "v1")).bytes, image.bytes);
  EXPECT_TRUE(run(there.list_referrers(ctx, "signed/app", image.descriptor.digest)).empty());

  const Manifest signature = manifest_of(image_json(
      config,
      fmt::format(
          R"(,"subject":{{"mediaType":"{}","digest":"{}","size":{}}})",
          k_type,
          image.descriptor.digest.to_string(),
          image.bytes.size())));
  run(there.put_manifest(ctx, "signed/app", signature.descriptor.digest.to_string(), signature));

  const auto referrers = run(there.list_referrers(ctx, "signed/app", image.descriptor.digest));
  ASSERT_EQ(referrers.size(), 1U);
  EXPECT_EQ(referrers[0], signature.descriptor);
}

TEST_F(RealBlobsTest, have_tags_that_this_registry_cannot_delete) {
  RegistryClient there = client();
  const Ctx ctx = Ctx{}.within(30s);
  const Descriptor config = push(there, "tags/app", "{}");
  run(there.put_manifest(ctx, "tags/app", "v1", manifest_of(image_json(config))));
  const Error error = [&] {
    try {
      run(there.delete_tag(ctx, "tags/app", "v1"));
    } catch (const Error& caught) {
      return caught;
    }
    return Error(ErrorCode::internal, "nothing was thrown");
  }();
  EXPECT_EQ(
      error.message(),
      "'" + registry_->authority() + "' can only delete whole images, not a single tag");
}

TEST_F(RealBlobsTest, go_through_a_registry_that_wants_tokens) {
  TokenIssuer issuer(std::string(RealRegistry::k_user) + ":" + RealRegistry::k_password);
  RealRegistry::TokenAuth auth{
      issuer.realm(), TokenIssuer::k_service, TokenIssuer::k_issuer, issuer.root_certificate()};
  const RealRegistry registry(std::move(auth));
  ASSERT_NE(registry.authority(), "") << "docker-registry did not start";
  RegistryClient there = client(registry.authority());
  const Ctx ctx = Ctx{}.within(30s);

  const Descriptor pushed = push(there, "team/app", content_of('t'));
  EXPECT_EQ(issuer.requests(), 1);
  EXPECT_TRUE(run(download(there, "team/app", pushed)) == content_of('t'));
  EXPECT_EQ(issuer.requests(), 2);  // a token that may only pull
  EXPECT_TRUE(run(there.mount_blob(ctx, "team/other", pushed.digest, "team/app")));
  EXPECT_EQ(issuer.requests(), 3);

  RegistryClient nobody(http_, registry.authority(), std::nullopt);
  EXPECT_EQ(run(nobody.can_push(ctx, "team/app")).answer, PushProbe::Answer::no);
}

}  // namespace
}  // namespace freshet::oci
