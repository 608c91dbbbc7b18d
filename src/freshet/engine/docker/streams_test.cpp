// SPDX-License-Identifier: Apache-2.0
// What the engine streams: frames of output, JSON reports.
#include "freshet/base/error.hpp"
#include "freshet/engine/docker/demultiplexer.hpp"
#include "freshet/engine/docker/json_stream.hpp"
#include "freshet/engine/docker/transfer_report.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

using namespace std::string_literals;

namespace freshet::engine {
namespace {

std::string frame(char stream, std::string_view bytes) {
  std::string out{stream, '\0', '\0', '\0'};
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(bytes.size() >> shift & 0xFF);
  }
  return out.append(bytes);
}

template <class Work>
std::string failure_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    const std::string text = error.remote_text();
    return std::string(to_string(error.code())) + ": " + error.message() +
           (text.empty() ? "" : " | " + text);
  }
  return "no failure";
}

TEST(Demultiplexer, takes_frames_apart_wherever_they_are_cut) {
  const std::string large(70'000, 'x');
  const std::string text =
      frame(1, "out") + frame(2, "err") + frame(1, "") + frame(1, "a\0b"s) + frame(0, "in");
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string out;
    std::string err;
    Demultiplexer demultiplexer([&](OutputStream stream, std::string_view bytes) {
      (stream == OutputStream::standard_error ? err : out) += bytes;
    });
    demultiplexer.feed(text.substr(0, cut));
    demultiplexer.feed(text.substr(cut));
    EXPECT_EQ(out, "outa\0bin"s) << cut;
    EXPECT_EQ(err, "err") << cut;
    EXPECT_TRUE(demultiplexer.is_between_frames());
  }
}

TEST(Demultiplexer, hands_on_the_part_of_a_frame_that_is_there) {
  std::string out;
  Demultiplexer demultiplexer([&](OutputStream, std::string_view bytes) { out += bytes; });
  const std::string text = frame(1, std::string(70'000, 'x'));
  demultiplexer.feed(text.substr(0, 10));
  EXPECT_EQ(out, "xx");
  EXPECT_FALSE(demultiplexer.is_between_frames());
  demultiplexer.feed(text.substr(10));
  EXPECT_EQ(out.size(), 70'000U);
  EXPECT_TRUE(demultiplexer.is_between_frames());
}

TEST(Demultiplexer, tells_the_engines_own_failure_and_unknown_formats) {
  const auto ignore = [](OutputStream, std::string_view) {};
  EXPECT_EQ(
      failure_of([&] { Demultiplexer(ignore).feed(frame(3, "log driver died")); }),
      "upstream_denied: the Docker engine could not go on with the container's output | log driver "
      "died");
  EXPECT_EQ(
      failure_of([&] { Demultiplexer(ignore).feed("plain text\r\n"); }),
      "corrupt_data: the container's output came in an unknown format");
}

TEST(JsonStream, finds_the_objects_wherever_the_bytes_are_cut) {
  const std::string text = "{\"a\":\"}\\\"{\"}\r\n {\"b\":[1,{\"c\":2}]}{}\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string found;
    JsonStream stream(
        [&](const boost::json::object& object) { found += boost::json::serialize(object); });
    stream.feed(text.substr(0, cut));
    stream.feed(text.substr(cut));
    stream.finish();
    EXPECT_EQ(found, "{\"a\":\"}\\\"{\"}{\"b\":[1,{\"c\":2}]}{}") << cut;
  }
}

TEST(JsonStream, refuses_what_is_no_object_has_no_end_or_is_huge) {
  const auto read = [](const std::string& text) {
    return failure_of([&] {
      JsonStream stream([](const boost::json::object&) {});
      stream.feed(text);
      stream.finish();
    });
  };
  const std::string malformed =
      "corrupt_data: the Docker engine's report of its progress is not JSON";
  EXPECT_EQ(read("[1]"), malformed);
  EXPECT_EQ(read("{\"a\":1}x"), malformed);
  EXPECT_EQ(read("{\"a\" 1}"), malformed);
  EXPECT_EQ(read("{\"a\":1"), malformed);
  EXPECT_EQ(
      read("{\"a\":\"" + std::string(2'000'000, 'x') + "\"}"),
      "corrupt_data: the Docker engine's report of its progress is larger than the limit of "
      "1048576 bytes");
  EXPECT_EQ(read(" \r\n"), "no failure");
}

TEST(TransferReport, tells_how_layers_end_and_not_each_percent) {
  std::vector<std::string> lines;
  TransferReport report([&](std::string_view line) { lines.emplace_back(line); });
  report.feed(R"({"status":"The push refers to repository [r.example/a]"}
    {"status":"Preparing","progressDetail":{},"id":"aaaaaaaaaaaa"}
    {"status":"Pushing","progressDetail":{"current":1,"total":2},"id":"aaaaaaaaaaaa"}
    {"status":"Retrying in 5 seconds","id":"aaaaaaaaaaaa"}
    {"status":"Retrying in 4 seconds","id":"aaaaaaaaaaaa"}
    {"status":"Pushed","progressDetail":{},"id":"aaaaaaaaaaaa"}
    {"status":"Layer already exists","progressDetail":{},"id":"bbbbbbbbbbbb"}
    {"status":"Mounted from team/base","progressDetail":{},"id":"cccccccccccc"}
    {"status":"v1: digest: sha256:12 size: 528"}
    {"progressDetail":{},"aux":{"Tag":"v1","Digest":"sha256:12","Size":528}}
  )");
  report.finish();

  const std::vector<std::string> expected{
      "The push refers to repository [r.example/a]",
      "aaaaaaaaaaaa: Retrying in 5 seconds",
      "aaaaaaaaaaaa: Pushed",
      "bbbbbbbbbbbb: Layer already exists",
      "cccccccccccc: Mounted from team/base",
      "v1: digest: sha256:12 size: 528"};
  EXPECT_EQ(lines, expected);
  EXPECT_EQ(report.pushed().digest, "sha256:12");
  EXPECT_EQ(report.pushed().manifest_size_bytes, 528U);
  EXPECT_EQ(report.failure(), "");
}

TEST(TransferReport, keeps_the_engines_text_of_a_failure_and_cleans_what_it_prints) {
  std::vector<std::string> lines;
  TransferReport report([&](std::string_view line) { lines.emplace_back(line); });
  report.feed(R"({"status":"\u001b[31mred"})");
  report.feed(R"({"errorDetail":{"message":"denied: no"},"error":"denied"})");
  report.finish();

  EXPECT_EQ(lines, std::vector<std::string>{"[31mred"});
  EXPECT_EQ(report.failure(), "denied: no");
  EXPECT_EQ(report.pushed().digest, "");
}

}  // namespace
}  // namespace freshet::engine
