// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/testing/patient_client.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace freshet::oci::testing {

inline constexpr std::size_t k_megabyte = 1'000'000;

/// Not of one byte only, so that a wrong offset shows.
inline std::string content_of(std::size_t size) {
  std::string content(size, '\0');
  for (std::size_t at = 0; at < size; ++at) {
    content[at] = static_cast<char>('a' + (at * 7 + at / 1000) % 26);
  }
  return content;
}

inline const std::string k_large = content_of(3 * k_megabyte);
inline const std::string k_begin = "POST /v2/app/blobs/uploads/";

inline std::string digest_query(const std::string& content) {
  return "digest=" + net::url_encode(Digest::of(content).to_string());
}

inline const std::string k_commit = "PUT /u/1?state=b&" + digest_query(k_large);
inline const std::string k_head = "HEAD /v2/app/blobs/" + Digest::of(k_large).to_string();

inline net::testing::Outcome session(std::string location = "/u/1?state=a") {
  return net::testing::reply(202, "", {{"Location", std::move(location)}, {"Range", "0-0"}});
}

inline net::testing::Outcome has(
    std::size_t bytes, int status = 202, std::string location = "/u/1?state=b") {
  return net::testing::reply(
      status, "", {{"Location", std::move(location)}, {"Range", fmt::format("0-{}", bytes - 1)}});
}

inline const net::testing::Outcome k_present =
    net::testing::reply(200, "", {{"Content-Length", std::to_string(k_large.size())}});
inline const net::testing::Outcome k_lost =
    net::testing::no_answer(net::TransportProblem::closed, "the connection was lost");

/// What is only known once it was read.
class UnknownBlob final : public BlobSource {
 public:
  explicit UnknownBlob(std::string bytes) : bytes_(std::move(bytes)) {}

  std::optional<Descriptor> known() const override { return std::nullopt; }
  Awaitable<std::unique_ptr<net::ByteStream>> open(Ctx, std::uint64_t offset) override {
    offsets.push_back(offset);
    co_return std::make_unique<net::testing::TextStream>(bytes_.substr(offset), 65536);
  }

  std::vector<std::uint64_t> offsets;

 private:
  std::string bytes_;
};

class BlobUploadTest : public ::testing::Test {
 protected:
  static Descriptor push(PatientClient& client, std::string content = k_large) {
    MemoryBlob blob("application/octet-stream", std::move(content));
    return net::testing::run(client->push_blob(Ctx{}, "app", blob));
  }
  static Error failure(PatientClient& client, std::string content = k_large) {
    MemoryBlob blob("application/octet-stream", std::move(content));
    return failure_of(client->push_blob(Ctx{}, "app", blob));
  }
};

}  // namespace freshet::oci::testing
