// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/testing/patient_client.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::TransportProblem;
using net::testing::no_answer;
using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;
using testing::failure_of;
using testing::PatientClient;

const std::string k_type = "application/vnd.oci.image.manifest.v1+json";
const std::string k_index_type = "application/vnd.oci.image.index.v1+json";
const Digest k_subject = Digest::of("subject");

Manifest manifest_of(std::string bytes, std::string type = k_type) {
  const Descriptor descriptor{std::move(type), Digest::of(bytes), bytes.size()};
  return Manifest{descriptor, std::move(bytes)};
}

std::string descriptor_json(const Digest& digest) {
  return fmt::format(
      R"({{"mediaType":"application/x","digest":"{}","size":2}})", digest.to_string());
}

const Manifest k_image = manifest_of(
    R"({"schemaVersion":2,"config":)" + descriptor_json(Digest::of("{}")) + R"(,"layers":[]})");
const Manifest k_signature = manifest_of(
    R"({"schemaVersion":2,"config":)" + descriptor_json(Digest::of("{}")) +
    R"(,"layers":[],"subject":)" + descriptor_json(k_subject) + "}");

const std::string k_put = "PUT /v2/app/manifests/v1";
const std::string k_head = "HEAD /v2/app/manifests/v1";

net::testing::Outcome present(const Manifest& manifest) {
  return reply(
      200,
      "",
      {{"Docker-Content-Digest", manifest.descriptor.digest.to_string()},
       {"Content-Type", manifest.descriptor.media_type},
       {"Content-Length", std::to_string(manifest.bytes.size())}});
}

TEST(PutManifest, writes_it_byte_for_byte) {
  ScriptedHttp http{{k_put, reply(201)}};
  PatientClient client(http);
  run(client->put_manifest(Ctx{}, "app", "v1", k_image));
  EXPECT_EQ(http.requests()[0].body, k_image.bytes);
  EXPECT_EQ(http.requests()[0].headers.find("Content-Type"), k_type);
}

TEST(PutManifest, tries_again_and_looks_when_the_answer_is_lost) {
  const auto lost = no_answer(TransportProblem::closed, "lost");
  ScriptedHttp http{{k_put, lost}, {k_put, reply(503)}, {k_put, lost}, {k_head, present(k_image)}};
  PatientClient client(http);
  EXPECT_NO_THROW(run(client->put_manifest(Ctx{}, "app", "v1", k_image)));
  EXPECT_TRUE(http.finished());
}

TEST(PutManifest, takes_an_immutable_tag_that_has_the_image_already_for_done) {
  for (const int status : {400, 403, 409, 412}) {
    ScriptedHttp http{{k_put, reply(status)}, {k_head, present(k_image)}};
    PatientClient client(http);
    EXPECT_NO_THROW(run(client->put_manifest(Ctx{}, "app", "v1", k_image))) << status;
  }
}

TEST(PutManifest, says_that_a_tag_cannot_be_moved) {
  const std::string words =
      R"({"errors":[{"code":"TAG_INVALID","message":"The image tag 'v1' is immutable"}]})";
  ScriptedHttp http{{k_put, reply(400, words)}, {k_head, present(k_signature)}};
  PatientClient client(http);
  const Error error = failure_of(client->put_manifest(Ctx{}, "app", "v1", k_image));
  EXPECT_EQ(error.code(), ErrorCode::conflict);
  EXPECT_EQ(error.message(), "'r.example' does not let the tag 'app:v1' be moved to another image");
  EXPECT_EQ(error.remote_text(), "TAG_INVALID: The image tag 'v1' is immutable");
}

TEST(PutManifest, knows_the_ways_in_which_registries_say_that_a_tag_is_immutable) {
  struct Row {
    int status;
    const char* code;
    const char* message;
    const char* detail;
  };
  const std::vector<Row> rows{
      {400,  // Amazon ECR, before 2025 and since
       "TAG_INVALID",
       "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten "
       "because "
       "the repository is immutable.",
       ""},
      {400,
       "TAG_INVALID",
       "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten "
       "because "
       "the tag is immutable.",
       ""},
      {400, "ImageTagAlreadyExistsException", "The image tag 'v1' already exists", ""},
      {400,  // Google Artifact Registry
       "MANIFEST_INVALID",
       "manifest invalid",
       "cannot update tag v1. The repository has enabled tag immutability"},
      {412,  // Harbor
       "PRECONDITION",
       "Failed to process request due to 'app:v1' configured as immutable.",
       ""},
      {400,  // Nexus, with redeployment switched off
       "BLOB_UPLOAD_INVALID",
       "blob upload invalid",
       "Repository does not allow updating assets: hosted"},
      {403, "DENIED", "tag v1 is immutable", ""},
      {409, "CONFLICT", "", ""},
  };
  for (const Row& row : rows) {
    const std::string body = fmt::format(
        R"({{"errors":[{{"code":"{}","message":"{}","detail":"{}"}}]}})",
        row.code,
        row.message,
        row.detail);
    ScriptedHttp http{{k_put, reply(row.status, body)}, {k_head, present(k_signature)}};
    PatientClient client(http);
    const Error error = failure_of(client->put_manifest(Ctx{}, "app", "v1", k_image));
    EXPECT_EQ(error.code(), ErrorCode::conflict) << body;
    EXPECT_EQ(
        error.message(), "'r.example' does not let the tag 'app:v1' be moved to another image")
        << body;
    ScriptedHttp same{{k_put, reply(row.status, body)}, {k_head, present(k_image)}};
    PatientClient again(same);
    EXPECT_NO_THROW(run(again->put_manifest(Ctx{}, "app", "v1", k_image))) << body;
  }
}

TEST(PutManifest, quotes_what_the_registry_has_against_it) {
  const std::string words =
      R"({"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]})";
  ScriptedHttp http{{k_put, reply(400, words)}, {k_head, reply(404)}};
  PatientClient client(http);
  const Error error = failure_of(client->put_manifest(Ctx{}, "app", "v1", k_image));
  EXPECT_EQ(error.message(), "'r.example' refused the manifest of 'app:v1'");
  EXPECT_EQ(error.remote_text(), "MANIFEST_BLOB_UNKNOWN: blob unknown");
}

TEST(PutManifest, notices_that_the_registry_computed_another_digest) {
  ScriptedHttp http{{k_put, reply(201, "", {{"Docker-Content-Digest", k_subject.to_string()}})}};
  PatientClient client(http);
  EXPECT_EQ(
      failure_of(client->put_manifest(Ctx{}, "app", "v1", k_image)).code(),
      ErrorCode::corrupt_data);
}

TEST(PutManifest, sends_nothing_under_a_wrong_digest) {
  ScriptedHttp http{};
  PatientClient client(http);
  EXPECT_EQ(
      failure_of(client->put_manifest(Ctx{}, "app", k_subject.to_string(), k_image)).code(),
      ErrorCode::corrupt_data);
}

TEST(DeleteTag, deletes_it_or_says_that_this_cannot_be_done) {
  const std::string request = "DELETE /v2/app/manifests/v1";
  ScriptedHttp http{
      {request, reply(202)},
      {request, reply(405, R"({"errors":[{"code":"UNSUPPORTED","message":"no"}]})")},
      {request, reply(400, R"({"errors":[{"code":"DIGEST_INVALID","message":"no"}]})")},
      {request, reply(404)}};
  PatientClient client(http);
  EXPECT_NO_THROW(run(client->delete_tag(Ctx{}, "app", "v1")));
  for (int kind = 0; kind < 2; ++kind) {
    const Error error = failure_of(client->delete_tag(Ctx{}, "app", "v1"));
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_EQ(error.message(), "'r.example' can only delete whole images, not a single tag");
  }
  EXPECT_EQ(
      failure_of(client->delete_tag(Ctx{}, "app", "v1")).message(),
      "'r.example' does not have 'app:v1'");
  EXPECT_EQ(
      failure_of(client->delete_tag(Ctx{}, "app", k_subject.to_string())).code(),
      ErrorCode::invalid_input);
}

TEST(DeleteTag, counts_as_done_when_the_answer_was_lost_and_the_tag_is_gone) {
  const std::string request = "DELETE /v2/app/manifests/v1";
  for (const auto& first : {no_answer(TransportProblem::closed, "lost"), reply(504)}) {
    ScriptedHttp http{{request, first}, {request, reply(404)}};
    PatientClient client(http);
    EXPECT_NO_THROW(run(client->delete_tag(Ctx{}, "app", "v1")));
  }
  ScriptedHttp http{{request, reply(429)}, {request, reply(404)}};
  PatientClient client(http);
  EXPECT_EQ(failure_of(client->delete_tag(Ctx{}, "app", "v1")).code(), ErrorCode::not_found);
}

TEST(FindManifest, does_not_ask_a_registry_in_trouble_in_another_way) {
  ScriptedHttp http{{k_head, reply(429)}, {k_head, reply(503)}, {k_head, reply(429)}};
  PatientClient client(http);
  EXPECT_EQ(failure_of(client->find_manifest(Ctx{}, "app", "v1")).code(), ErrorCode::rate_limited);
}

class ReferrerLists : public ::testing::Test {
 protected:
  static net::testing::Outcome index(std::vector<ManifestEntry> entries, std::string link = "") {
    net::HttpHeaders headers{{"Content-Type", k_index_type}};
    if (!link.empty()) {
      headers.add("Link", link);
    }
    return reply(200, make_index(entries).bytes, headers);
  }
  static ManifestEntry entry(std::string content, std::string artifact_type = "") {
    ManifestEntry out{Descriptor{k_type, Digest::of(content), content.size()}};
    out.artifact_type = std::move(artifact_type);
    return out;
  }
  std::vector<Descriptor> list(PatientClient& client, std::string artifact_type = "") {
    return run(client->list_referrers(Ctx{}, "app", k_subject, std::move(artifact_type)));
  }

  const std::string api_ = "GET /v2/app/referrers/" + k_subject.to_string();
  const std::string tag_ = "sha256-" + std::string(k_subject.hex());
  const std::string fallback_ = "GET /v2/app/manifests/" + tag_;
};

TEST_F(ReferrerLists, are_listed_by_the_api_on_all_pages) {
  ScriptedHttp http{
      {api_, index({entry("a")}, "</v2/next>; rel=\"next\"")},
      {"GET /v2/next", index({entry("b")})}};
  PatientClient client(http);
  const auto listed = list(client);
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[1].digest, Digest::of("b"));
}

TEST_F(ReferrerLists, are_filtered_here_where_the_registry_does_not) {
  ScriptedHttp http{{api_ + "?artifactType=x%2Fsig", index({entry("a", "x/sig"), entry("b")})}};
  PatientClient client(http);
  EXPECT_EQ(list(client, "x/sig").size(), 1U);
}

TEST_F(ReferrerLists, are_found_by_the_fallback_tag_and_the_lack_of_the_api_is_remembered) {
  ScriptedHttp http{
      {api_, reply(404, "404 page not found")},
      {fallback_, index({entry("a")})},
      {fallback_, reply(404)}};
  PatientClient client(http);
  EXPECT_EQ(list(client).size(), 1U);
  EXPECT_EQ(list(client).size(), 0U);
  EXPECT_TRUE(http.finished());
}

TEST_F(ReferrerLists, are_not_read_from_a_page_that_is_served_for_everything) {
  ScriptedHttp http{
      {api_, reply(200, "<html>", {{"Content-Type", "text/html"}})}, {fallback_, reply(404)}};
  PatientClient client(http);
  EXPECT_EQ(list(client).size(), 0U);
}

TEST_F(ReferrerLists, with_malformed_digests_are_refused) {
  ScriptedHttp http{
      {api_,
       reply(
           200,
           R"({"manifests":[{"mediaType":"x","digest":"sha256:../../x","size":1}]})",
           {{"Content-Type", k_index_type}})}};
  PatientClient client(http);
  EXPECT_EQ(
      failure_of(client->list_referrers(Ctx{}, "app", k_subject)).message(),
      "the manifest has the malformed digest 'sha256:../../x' in its manifest 1");
}

TEST_F(ReferrerLists, are_added_to_the_fallback_tag_where_the_registry_does_not_list_them) {
  ManifestEntry mine{k_signature.descriptor};
  mine.artifact_type = "application/x";
  const Manifest written = make_index({entry("other"), mine});
  ScriptedHttp http{
      {k_put, reply(201)},
      {fallback_, index({entry("other")})},
      {"PUT /v2/app/manifests/" + tag_, reply(201)},
      {fallback_, index({mine})},  // another writer took "other" away, and may put it back
  };
  PatientClient client(http);
  run(client->put_manifest(Ctx{}, "app", "v1", k_signature));
  EXPECT_EQ(http.requests()[2].body, written.bytes);
  EXPECT_TRUE(http.finished());
}

TEST_F(ReferrerLists, are_written_again_when_another_writer_dropped_them) {
  ManifestEntry mine{k_signature.descriptor};
  const std::string put = "PUT /v2/app/manifests/" + tag_;
  ScriptedHttp http{
      {k_put, reply(201)},
      {fallback_, reply(404)},
      {put, reply(201)},
      {fallback_, index({entry("other")})},
      {put, reply(201)},
      {fallback_, index({entry("other"), mine})}};
  PatientClient client(http);
  run(client->put_manifest(Ctx{}, "app", "v1", k_signature));
  EXPECT_TRUE(http.finished());
}

TEST_F(ReferrerLists, are_written_again_when_other_bytes_arrived) {
  ManifestEntry mine{k_signature.descriptor};
  const std::string put = "PUT /v2/app/manifests/" + tag_;
  const net::HttpHeaders garbled{{"Docker-Content-Digest", Digest::of("garbled").to_string()}};
  ScriptedHttp http{
      {k_put, reply(201)},
      {fallback_, index({entry("other")})},
      {put, reply(201, "", garbled)},
      {put, reply(201)},
      {fallback_, index({entry("other"), mine})}};
  PatientClient client(http);
  run(client->put_manifest(Ctx{}, "app", "v1", k_signature));
  EXPECT_TRUE(http.finished());
  EXPECT_EQ(http.requests()[3].body, http.requests()[2].body);
}

TEST_F(ReferrerLists, that_never_arrive_as_they_were_sent_are_told) {
  const net::HttpHeaders garbled{{"Docker-Content-Digest", Digest::of("garbled").to_string()}};
  const net::testing::Exchange put{"PUT /v2/app/manifests/" + tag_, reply(201, "", garbled)};
  ScriptedHttp http{{k_put, reply(201)}, {fallback_, reply(404)}, put, put, put, put, put};
  PatientClient client(http);
  const Error error = failure_of(client->put_manifest(Ctx{}, "app", "v1", k_signature));
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_EQ(
      error.message(),
      "'r.example' gets other bytes than were sent for the list of referrers '" + tag_ + "'");
}

TEST_F(ReferrerLists, are_read_again_when_they_came_garbled) {
  const net::HttpHeaders headers{
      {"Content-Type", k_index_type}, {"Docker-Content-Digest", Digest::of("sent").to_string()}};
  ScriptedHttp http{
      {api_, reply(404, "404 page not found")},
      {fallback_, reply(200, "Sent", headers)},
      {fallback_, index({entry("a")})}};
  PatientClient client(http);
  EXPECT_EQ(list(client).size(), 1U);
}

TEST_F(ReferrerLists, are_left_to_a_registry_that_lists_them) {
  ScriptedHttp http{{k_put, reply(201, "", {{"OCI-Subject", k_subject.to_string()}})}};
  PatientClient client(http);
  EXPECT_NO_THROW(run(client->put_manifest(Ctx{}, "app", "v1", k_signature)));
}

}  // namespace
}  // namespace freshet::oci
