// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/testing/patient_client.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::TransportProblem;
using net::testing::cut_after;
using net::testing::no_answer;
using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;
using testing::failure_of;
using testing::PatientClient;

const std::string k_content = "0123456789abcdefghij";
const Descriptor k_blob{"application/octet-stream", Digest::of(k_content), k_content.size()};
const std::string k_target = "/v2/app/blobs/" + k_blob.digest.to_string();
const std::string k_get = "GET https://r.example" + k_target;
const std::string k_name = "app@" + k_blob.digest.to_string();

net::testing::Outcome part(std::size_t from, std::string body = "", std::string size = "20") {
  return reply(
      206,
      body.empty() ? k_content.substr(from) : body,
      {{"Content-Range", fmt::format("bytes {}-19/{}", from, size)}});
}

Awaitable<std::string> download(
    PatientClient& client, Descriptor blob = k_blob, std::uint64_t offset = 0) {
  auto stream = co_await client->open_blob(Ctx(), "app", blob, offset);
  co_return co_await testing::read_all(std::move(stream));
}

std::string failure(net::testing::Outcome outcome, Descriptor blob = k_blob) {
  ScriptedHttp http{{k_get, std::move(outcome)}};
  PatientClient client(http);
  return failure_of(download(client, std::move(blob))).message();
}

TEST(BlobDownload, gives_what_the_registry_has) {
  ScriptedHttp http{{k_get, reply(200, k_content)}};
  PatientClient client(http);
  EXPECT_EQ(run(download(client)), k_content);
  EXPECT_FALSE(http.requests()[0].headers.find("Range"));
}

TEST(BlobDownload, goes_on_where_the_connection_broke_and_verifies_the_whole) {
  ScriptedHttp http{
      {k_get, cut_after(7, reply(200, k_content))},
      {k_get, cut_after(3, part(7))},
      {k_get, part(10)}};
  PatientClient client(http);

  EXPECT_EQ(run(download(client)), k_content);

  EXPECT_EQ(http.requests()[1].headers.find("Range"), "bytes=7-");
  EXPECT_EQ(http.requests()[2].headers.find("Range"), "bytes=10-");
  EXPECT_EQ(client.rests().size(), 2U);
}

TEST(BlobDownload, takes_an_early_end_for_a_break) {
  ScriptedHttp http{{k_get, reply(200, k_content.substr(0, 5))}, {k_get, part(5)}};
  PatientClient client(http);
  EXPECT_EQ(run(download(client)), k_content);
}

/// The rest from `from` of a blob that is long enough for progress to count.
net::testing::Outcome long_part(const std::string& content, std::size_t from) {
  const auto range = fmt::format("bytes {}-{}/{}", from, content.size() - 1, content.size());
  return reply(206, content.substr(from), {{"Content-Range", range}});
}

TEST(BlobDownload, is_as_patient_after_each_progress_and_no_longer) {
  const std::string content(20'000, 'x');
  const Descriptor blob{"application/octet-stream", Digest::of(content), content.size()};
  const std::string name = "app@" + blob.digest.to_string();
  const std::string get = "GET https://r.example/v2/app/blobs/" + blob.digest.to_string();
  ScriptedHttp http{
      {get, cut_after(5000, reply(200, content))},
      {get, reply(503)},
      {get, cut_after(5000, long_part(content, 5000))},
      {get, no_answer(TransportProblem::refused, "refused")},
      {get, reply(502)}};
  PatientClient client(http);
  EXPECT_EQ(
      failure_of(download(client, blob)).message(),
      "'r.example' has a trouble of its own with reading the blob '" + name + "'");
  EXPECT_TRUE(http.finished());
}

TEST(BlobDownload, ends_when_each_connection_gives_a_byte_and_breaks) {
  ScriptedHttp http{
      {k_get, cut_after(1, reply(200, k_content))},
      {k_get, cut_after(1, part(1))},
      {k_get, cut_after(1, part(2))}};
  PatientClient client(http);
  EXPECT_EQ(failure_of(download(client)).message(), "the connection was lost");
  EXPECT_TRUE(http.finished());
}

TEST(BlobDownload, skips_what_a_server_without_ranges_repeats) {
  ScriptedHttp http{{k_get, cut_after(7, reply(200, k_content))}, {k_get, reply(200, k_content)}};
  PatientClient client(http);
  EXPECT_EQ(run(download(client)), k_content);
}

TEST(BlobDownload, can_begin_in_the_middle) {
  ScriptedHttp http{{k_get, part(15)}, {k_get, reply(200, k_content)}};
  PatientClient client(http);
  EXPECT_EQ(run(download(client, k_blob, 15)), "fghij");
  EXPECT_EQ(run(download(client, k_blob, 15)), "fghij");
  EXPECT_EQ(run(download(client, k_blob, 20)), "");  // asks for nothing
}

TEST(BlobDownload, believes_no_other_part) {
  for (const auto& answer :
       {reply(206, "x"),
        reply(206, "x", {{"Content-Range", "bytes 8-19/20"}}),
        reply(206, "x", {{"Content-Range", "bytes 7-19/21"}}),
        reply(206, "x", {{"Content-Range", "7"}})}) {
    ScriptedHttp http{{k_get, cut_after(7, reply(200, k_content))}, {k_get, answer}};
    PatientClient client(http);
    EXPECT_EQ(
        failure_of(download(client)).message(),
        "'r.example' sent the blob '" + k_name + "' in another part than it was asked for");
  }
}

TEST(BlobDownload, never_gives_more_than_the_declared_size) {
  EXPECT_EQ(
      failure(reply(200, k_content + std::string(1'000'000, 'x'))),
      "'r.example' sent the blob '" + k_name + "' with more than its 20 bytes");
}

TEST(BlobDownload, notices_a_size_that_is_announced_wrong_at_once) {
  EXPECT_EQ(
      failure(reply(200, "", {{"Content-Length", "999999999999"}})),
      "'r.example' sent the blob '" + k_name + "' with 999999999999 instead of 20 bytes");
}

TEST(BlobDownload, tells_no_end_of_other_bytes) {
  const std::string other = "0123456789ABCDEFGHIJ";
  const Error error = [&] {
    ScriptedHttp http{{k_get, reply(200, other, {{"Content-Encoding", "gzip"}})}};
    PatientClient client(http);
    return failure_of(download(client));
  }();
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_EQ(
      error.message(),
      "'r.example' sent the blob '" + k_name + "' with other bytes: their digest is '" +
          Digest::of(other).to_string() + "'");
}

TEST(BlobDownload, notices_another_digest_in_the_header) {
  EXPECT_EQ(
      failure(reply(200, k_content, {{"Docker-Content-Digest", "sha256:../../x"}})),
      "'r.example' answered with the malformed digest 'sha256:../../x'");
}

class Redirects : public ::testing::Test {
 protected:
  static net::testing::Outcome to(std::string location, int status = 307) {
    return reply(status, "", {{"Location", std::move(location)}});
  }
  static std::string refusal(std::string location) { return failure(to(std::move(location))); }

  std::shared_ptr<CredentialSource> bob_ =
      std::make_shared<FixedCredentials>(Credentials{"bob", Secret("hunter2")});
};

TEST_F(Redirects, lead_to_storage_without_credentials) {
  const net::HttpHeaders basic{{"WWW-Authenticate", "Basic realm=\"x\""}};
  ScriptedHttp http{
      {k_get, reply(401, "", basic)},
      {k_get, to("https://cdn.example.net/x?sig=1")},
      {"GET https://cdn.example.net/x?sig=1", to("https://other.example.net:8443/y")},
      {"GET https://other.example.net:8443/y", cut_after(4, reply(200, k_content))},
      {k_get, to("https://cdn.example.net/x?sig=2", 302)},
      {"GET https://cdn.example.net/x?sig=2", part(4)}};
  PatientClient client(http, bob_);

  EXPECT_EQ(run(download(client)), k_content);

  EXPECT_NE(http.authorization(1), "");
  for (const std::size_t stranger : {2U, 3U, 5U}) {
    EXPECT_EQ(http.authorization(stranger), "");
    EXPECT_TRUE(http.requests()[stranger].refuse_internal_peer);
  }
  EXPECT_EQ(http.requests()[5].headers.find("Range"), "bytes=4-");
}

TEST_F(Redirects, to_the_registry_itself_keep_the_credentials_and_to_another_port_do_not) {
  const net::HttpHeaders basic{{"WWW-Authenticate", "Basic realm=\"x\""}};
  ScriptedHttp http{
      {k_get, reply(401, "", basic)},
      {k_get, to("/storage/x")},
      {"GET https://r.example/storage/x", to("https://r.example:8443/x")},
      {"GET https://r.example:8443/x", reply(200, k_content)}};
  PatientClient client(http, bob_);
  EXPECT_EQ(run(download(client)), k_content);
  EXPECT_NE(http.authorization(2), "");
  EXPECT_EQ(http.authorization(3), "");
}

TEST_F(Redirects, are_refused_where_they_are_a_trap) {
  EXPECT_EQ(
      refusal("http://cdn.example.net/x?sig=secret"),
      "'r.example' redirects to 'http://cdn.example.net/x', which is not encrypted");
  EXPECT_EQ(
      refusal("https://u:p@cdn.example.net/x"),
      "'r.example' redirects to 'https://cdn.example.net/x', which is not a plain http or https "
      "URL");
  EXPECT_EQ(
      refusal("https://169.254.169.254/x"),
      "'r.example' redirects to 'https://169.254.169.254/x', which is an internal address");
  EXPECT_EQ(
      refusal("https://2130706433/x"),
      "'r.example' redirects to 'https://127.0.0.1/x', which is an internal address");
  for (const char* malformed :
       {"", "https://a%2Fb/x", "file:///etc/passwd", "../../x", "//", "https:///x"}) {
    EXPECT_EQ(
        refusal(malformed),
        "'r.example' redirects to '(malformed URL)', which is not a plain http or https URL")
        << malformed;
  }
}

TEST_F(Redirects, end_somewhere) {
  ScriptedHttp http{
      {k_get, to("https://c.example/1")},
      {"GET https://c.example/1", to("/2")},
      {"GET https://c.example/2", to("/3")},
      {"GET https://c.example/3", to("/4")},
      {"GET https://c.example/4", to("/5")},
      {"GET https://c.example/5", to("/6")}};
  PatientClient client(http);
  EXPECT_EQ(
      failure_of(download(client)).message(), "'r.example' redirects a download more than 5 times");
}

TEST_F(Redirects, are_asked_for_anew_when_a_signed_url_has_expired) {
  ScriptedHttp http{
      {k_get, to("https://cdn.example.net/x?sig=1")},
      {"GET https://cdn.example.net/x?sig=1", reply(403, "<Error>expired</Error>")},
      {k_get, to("https://cdn.example.net/x?sig=2")},
      {"GET https://cdn.example.net/x?sig=2", reply(200, k_content)}};
  PatientClient client(http);
  EXPECT_EQ(run(download(client)), k_content);
}

TEST_F(Redirects, never_show_the_signature_of_a_url) {
  ScriptedHttp http{
      {k_get, to("https://cdn.example.net/x?sig=secret")},
      {"GET https://cdn.example.net/x?sig=secret", reply(404)}};
  PatientClient client(http);
  const Error error = failure_of(download(client));
  EXPECT_EQ(error.message(), "'cdn.example.net' does not have what its registry said it has");
}

TEST(FindBlob, tells_size_and_absence) {
  const std::string head = "HEAD " + k_target;
  ScriptedHttp http{
      {head, reply(200, "", {{"Content-Length", "20"}})},
      {head, reply(404)},
      {head, reply(503)},
      {head, reply(307, "", {{"Location", "https://cdn.example.net/x"}})},
      {"HEAD https://cdn.example.net/x", reply(200, "", {{"Content-Length", "20"}})},
      {head, reply(403)}};
  PatientClient client(http);
  EXPECT_EQ(run(client->find_blob(Ctx{}, "app", k_blob.digest)), 20U);
  EXPECT_EQ(run(client->find_blob(Ctx{}, "app", k_blob.digest)), std::nullopt);
  EXPECT_EQ(run(client->find_blob(Ctx{}, "app", k_blob.digest)), 20U);
  EXPECT_EQ(
      failure_of(client->find_blob(Ctx{}, "app", k_blob.digest)).message(),
      "'r.example' does not allow reading the blob '" + k_name + "'");
}

TEST(GetBlob, gives_a_small_blob_and_refuses_a_large_one) {
  ScriptedHttp http{{k_get, reply(200, k_content)}, {k_get, reply(200, k_content + "x")}};
  PatientClient client(http);
  EXPECT_EQ(run(client->get_blob(Ctx{}, "app", k_blob, 20)), k_content);
  EXPECT_EQ(failure_of(client->get_blob(Ctx{}, "app", k_blob, 20)).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(
      failure_of(client->get_blob(Ctx{}, "app", k_blob, 19)).message(),
      "'" + k_name + "' has 20 B, the limit is 19 B");
}

}  // namespace
}  // namespace freshet::oci
