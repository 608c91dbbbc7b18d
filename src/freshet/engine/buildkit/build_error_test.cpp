// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/build_error.hpp"

#include "freshet/engine/buildkit/proto/status.pb.h"

#include <grpcpp/support/status_code_enum.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

struct Case {
  const char* name;
  int status_code;
  const char* message;
  const char* vertex;
  ErrorCode code;
  const char* expected;
  std::optional<int> exit_code = std::nullopt;
  int line = 0;
};

class SolveFailureTable : public testing::TestWithParam<Case> {};

TEST_P(SolveFailureTable, is_told_in_our_words) {
  const Case& c = GetParam();
  SolveFailure failure;
  failure.status_code = c.status_code;
  failure.message = c.message;
  failure.vertex_name = c.vertex;
  failure.dockerfile = "app/Dockerfile";
  try {
    throw_solve_failure(failure);
  } catch (const BuildFailed& error) {
    EXPECT_EQ(error.message(), c.expected);
    EXPECT_EQ(to_string(error.code()), to_string(c.code));
    EXPECT_EQ(error.exit_code(), c.exit_code);
    EXPECT_EQ(error.vertex_name(), c.vertex);
    EXPECT_EQ(error.position().line, c.line);
    EXPECT_EQ(error.position().file, c.line > 0 ? "app/Dockerfile" : "");
  }
}

constexpr const char* k_no_vertex = "";

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    commands,
    SolveFailureTable,
    testing::Values(
        Case{
            "old",
            2,
            "executor failed running [/bin/sh -c exit 42]: exit code: 42",
            "[2/3] RUN exit 42",
            ErrorCode::step_failed,
            "the command 'exit 42' ended with exit code 42",
            42},
        Case{
            "new_with_options",
            2,
            "failed to solve: process \"/bin/sh -c make all\" did not complete successfully: exit "
            "code: 2",
            "[build 3/3] RUN --mount=type=cache,target=/c --network=none make all",
            ErrorCode::step_failed,
            "the command 'make all' ended with exit code 2",
            2},
        Case{
            "old_without_vertex",
            2,
            "failed to solve with frontend dockerfile.v0: failed to build LLB: executor failed "
            "running "
            "[/bin/sh -c test -f [x]]: exit code: 1",
            k_no_vertex,
            ErrorCode::step_failed,
            "the command 'test -f [x]' ended with exit code 1",
            1},
        Case{
            "new_without_vertex",
            2,
            "process \"/usr/bin/python x.py\" did not complete successfully: exit code: 3",
            k_no_vertex,
            ErrorCode::step_failed,
            "the command '/usr/bin/python x.py' ended with exit code 3",
            3}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    dockerfiles,
    SolveFailureTable,
    testing::Values(
        Case{
            "unknown_instruction_old",
            2,
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: "
            "dockerfile parse "
            "error line 2: unknown instruction: RUNN",
            k_no_vertex,
            ErrorCode::invalid_input,
            "'app/Dockerfile' is not valid: unknown instruction: RUNN",
            std::nullopt,
            2},
        Case{
            "unknown_instruction_new",
            2,
            "failed to solve: dockerfile parse error on line 12: unknown instruction: RUNN (did "
            "you mean RUN?)",
            k_no_vertex,
            ErrorCode::invalid_input,
            "'app/Dockerfile' is not valid: unknown instruction: RUNN (did you mean RUN?)",
            std::nullopt,
            12},
        Case{
            "empty",
            2,
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: the "
            "Dockerfile "
            "cannot be empty",
            k_no_vertex,
            ErrorCode::invalid_input,
            "'app/Dockerfile' is not valid: it has no instructions"},
        Case{
            "stage_old",
            2,
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: target "
            "stage nope "
            "could not be found",
            k_no_vertex,
            ErrorCode::invalid_input,
            "'app/Dockerfile' has no stage 'nope'"},
        Case{
            "stage_new",
            2,
            "failed to solve: target stage \"nope\" could not be found",
            k_no_vertex,
            ErrorCode::invalid_input,
            "'app/Dockerfile' has no stage 'nope'"},
        Case{
            "bad_reference",
            2,
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: failed "
            "to parse "
            "stage name \"A:B:C\": invalid reference format",
            k_no_vertex,
            ErrorCode::invalid_input,
            "'app/Dockerfile' is not valid: failed to parse stage name \"A:B:C\": invalid "
            "reference format"},
        Case{
            "absent",
            2,
            "failed to solve with frontend dockerfile.v0: failed to read dockerfile: open "
            "/var/lib/docker/tmp/buildkit-mount1/Dockerfile: no such file or directory",
            k_no_vertex,
            ErrorCode::not_found,
            "no Dockerfile found at 'app/Dockerfile'"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    base_images,
    SolveFailureTable,
    testing::Values(
        Case{
            "denied_basic",
            2,
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: pulling "
            "from host "
            "127.0.0.1:5556 failed with status code [manifests 1]: 401 Unauthorized",
            "[internal] load metadata for 127.0.0.1:5556/base:1",
            ErrorCode::upstream_denied,
            "the registry denied access to base image '127.0.0.1:5556/base:1'"},
        Case{
            "unclear_hub",
            2,
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: pull "
            "access denied, "
            "repository does not exist or may require authorization: server message: "
            "insufficient_scope: "
            "authorization failed",
            "[internal] load metadata for docker.io/library/nope:latest",
            ErrorCode::upstream_denied,
            "base image 'docker.io/library/nope:latest' does not exist, or its registry denies "
            "access to it"},
        Case{
            "absent_old",
            2,
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: "
            "127.0.0.1:5000/b:9: "
            "not found",
            "[internal] load metadata for 127.0.0.1:5000/b:9",
            ErrorCode::not_found,
            "base image '127.0.0.1:5000/b:9' does not exist"},
        Case{
            "absent_new",
            2,
            "failed to solve: reg:5000/b:9: failed to resolve source metadata for reg:5000/b:9: "
            "reg:5000/b:9: "
            "not found",
            k_no_vertex,
            ErrorCode::not_found,
            "base image 'reg:5000/b:9' does not exist"},
        Case{
            "unreachable",
            2,
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: failed "
            "to do request: "
            "Head \"https://reg.example/v2/b/manifests/1\": dial tcp: lookup reg.example: no such "
            "host",
            "[internal] load metadata for reg.example/b:1",
            ErrorCode::unavailable,
            "base image 'reg.example/b:1' cannot be fetched from its registry"},
        Case{
            "limited",
            2,
            "failed to solve: toomanyrequests: You have reached your pull rate limit",
            "[internal] load metadata for docker.io/library/alpine:3",
            ErrorCode::rate_limited,
            "the registry limits how often base image 'docker.io/library/alpine:3' is pulled"},
        Case{
            "layer",
            2,
            "failed to copy: httpReadSeeker: failed open: unexpected status code 503 Service "
            "Unavailable",
            "[1/2] FROM reg.example/b:1@sha256:4040404040",
            ErrorCode::unavailable,
            "base image 'reg.example/b:1@sha256:4040404040' cannot be fetched from its registry"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    sources,
    SolveFailureTable,
    testing::Values(
        Case{
            "context_old",
            2,
            "failed to solve with frontend dockerfile.v0: failed to build LLB: failed to compute "
            "cache key: "
            "\"/missing.txt\" not found: not found",
            "[2/2] COPY missing.txt /",
            ErrorCode::not_found,
            "'/missing.txt' does not exist in the build context"},
        Case{
            "context_new",
            2,
            "failed to solve: failed to compute cache key: failed to calculate checksum of ref "
            "abc::def: \"/missing.txt\": not found",
            "[2/2] COPY missing.txt /",
            ErrorCode::not_found,
            "'/missing.txt' does not exist in the build context"},
        Case{
            "stage",
            2,
            "failed to compute cache key: \"/out\" not found: not found",
            "[stage-1 2/2] COPY --from=build /out /",
            ErrorCode::not_found,
            "'/out' does not exist in 'build'"},
        Case{
            "disk",
            2,
            "failed to copy files: write /x: no space left on device",
            "[2/2] COPY . /",
            ErrorCode::unavailable,
            "the disk of the Docker engine is full"},
        Case{
            "anything_else",
            2,
            "failed to solve: something new",
            "[2/2] COPY . /",
            ErrorCode::upstream_denied,
            "'[2/2] COPY . /' failed"}),
    name_of);

Error plain_error(int status_code, std::string message, std::string vertex = "") {
  SolveFailure failure;
  failure.status_code = status_code;
  failure.message = std::move(message);
  failure.vertex_name = std::move(vertex);
  try {
    throw_solve_failure(failure);
  } catch (const Error& error) {
    return error;
  }
}

TEST(SolveFailure, tells_a_lost_engine_from_a_failed_build) {
  for (const Error& error : {
           plain_error(grpc::StatusCode::UNAVAILABLE, "Socket closed"),
           plain_error(grpc::StatusCode::UNAVAILABLE, "anything without a vertex"),
           plain_error(grpc::StatusCode::UNKNOWN, "Stream removed"),
           plain_error(grpc::StatusCode::UNAVAILABLE, "Connection reset by peer", "[1/2] RUN x"),
       }) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_EQ(error.message(), "the Docker engine went away during the build");
  }
}

TEST(SolveFailure, takes_no_output_of_a_command_for_a_lost_engine) {
  const Error error = plain_error(
      grpc::StatusCode::UNKNOWN,
      "process \"/bin/sh -c echo Socket closed\" did not complete successfully: exit code: 1");
  EXPECT_EQ(error.message(), "the command 'echo Socket closed' ended with exit code 1");
}

TEST(SolveFailure, tells_an_engine_without_buildkit) {
  const Error error =
      plain_error(grpc::StatusCode::UNIMPLEMENTED, "unknown service moby.buildkit.v1.Control");
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_EQ(error.message(), "the Docker engine has no BuildKit");
  EXPECT_EQ(
      plain_error(grpc::StatusCode::UNAVAILABLE, "Trying to connect an http1.x server").code(),
      ErrorCode::unsupported);
}

TEST(SolveFailure, quotes_the_engine_without_its_wrapping) {
  const Error error = plain_error(
      2,
      "failed to solve with frontend dockerfile.v0: failed to build LLB: rpc error: code = Unknown "
      "desc = "
      "something\x1b[31m new",
      "[2/2] COPY . /");
  EXPECT_EQ(error.remote_text(), "something[31m new");
}

std::string details_with(std::initializer_list<std::pair<const char*, const char*>> values) {
  freshet::rpc::Status status;
  for (const auto& [type, json] : values) {
    freshet::rpc::Detail* detail = status.add_details();
    detail->set_type_url(std::string("github.com/moby/buildkit/") + type);
    detail->set_value(json);
  }
  return status.SerializeAsString();
}

TEST(FailureDetails, reads_line_vertex_and_exit_code) {
  const FailureDetails details = parse_failure_details(details_with({
      {"stack.Stack+json", R"({"frames":[]})"},
      {"errdefs.Source+json",
       R"({"info":{"filename":"Dockerfile"},"ranges":[{"start":{"line":7},"end":{"line":8}}]})"},
      {"errdefs.Vertex+json", R"({"digest":"sha256:ab"})"},
      {"gatewayapi.ExitMessage+json", R"({"Code":42})"},
      {"errdefs.Solve+json", "no JSON at all"},
  }));
  EXPECT_EQ(details.line, 7);
  EXPECT_EQ(details.vertex_digest, "sha256:ab");
  EXPECT_EQ(details.exit_code, 42);
}

TEST(FailureDetails, ignores_what_it_does_not_know) {
  const FailureDetails details = parse_failure_details("\xff\xff garbage");
  EXPECT_EQ(details.line, 0);
  EXPECT_EQ(details.vertex_digest, "");
  EXPECT_EQ(details.exit_code, std::nullopt);
}

TEST(FailureDetails, put_the_line_of_a_failed_command_into_the_error) {
  SolveFailure failure;
  failure.status_code = 2;
  failure.message = "process \"/bin/sh -c false\" did not complete successfully: exit code: 1";
  failure.details.line = 3;
  failure.vertex_name = "[2/2] RUN false";
  failure.dockerfile = "Dockerfile";
  try {
    throw_solve_failure(failure);
  } catch (const BuildFailed& error) {
    EXPECT_EQ(to_string(error.position()), "Dockerfile:3:1");
  }
}

}  // namespace
}  // namespace freshet::engine
