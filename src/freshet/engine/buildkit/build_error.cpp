// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/build_error.hpp"

#include "freshet/base/text.hpp"
#include "freshet/engine/buildkit/proto/status.pb.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <grpcpp/support/status_code_enum.h>
#include <re2/re2.h>

#include <utility>

namespace freshet::engine {
namespace {

namespace json = boost::json;

constexpr std::size_t k_command_bytes = 200;

const json::value* find_at(const json::value& root, std::string_view pointer) {
  boost::system::error_code code;
  return root.find_pointer(pointer, code);
}

std::optional<int> find_int(const json::value& root, std::string_view pointer) {
  const json::value* found = find_at(root, pointer);
  if (found == nullptr || !found->is_int64()) {
    return std::nullopt;
  }
  return static_cast<int>(found->get_int64());
}

/// Layers that wrapped the error without telling anything that a user could act on.
std::string without_wrapping(std::string_view text) {
  static const RE2 k_wrapping(
      R"(^(failed to solve(?: with frontend [^:]+)?: |rpc error: code = \w+ desc = |)"
      R"(failed to build LLB: |failed to create LLB definition: |failed to read dockerfile: |)"
      R"(failed to prepare[^:]*: ))");
  re2::StringPiece rest(text.data(), text.size());
  while (RE2::Consume(&rest, k_wrapping)) {
  }
  return printable({rest.data(), rest.size()}, 4096);
}

/// `[2/4] RUN make` without what stands in brackets.
std::string instruction_of(const std::string& vertex_name) {
  std::string instruction = vertex_name;
  RE2::Replace(&instruction, R"(^\[[^\]]*\] )", "");
  return instruction;
}

class Explanation {
 public:
  explicit Explanation(const SolveFailure& failure)
      : failure_(failure), text_(without_wrapping(failure.message)) {}

  [[noreturn]] void raise() const {
    const Error error = explain();
    throw BuildFailed(located(error), failure_.vertex_name, exit_code());
  }

 private:
  Error explain() const {
    using Rule = std::optional<Error> (Explanation::*)() const;
    for (const Rule rule :
         {&Explanation::missing_dockerfile,
          &Explanation::parse_error,
          &Explanation::missing_stage,
          &Explanation::base_image,
          &Explanation::failed_command,
          &Explanation::missing_source,
          &Explanation::full_disk,
          &Explanation::invalid_dockerfile}) {
      if (auto error = (this->*rule)()) {
        return *error;
      }
    }
    const std::string what = failure_.vertex_name.empty()
                                 ? "the build"
                                 : fmt::format("'{}'", printable(failure_.vertex_name, 300));
    return Error(ErrorCode::upstream_denied, what + " failed").with_remote_text(text_);
  }

  Error located(const Error& error) const {
    Error out = error;
    if (failure_.details.line > 0) {
      out.set_position_if_unknown(SourcePosition{failure_.dockerfile, failure_.details.line, 1});
    }
    return out;
  }

  std::optional<int> exit_code() const {
    int code = 0;
    if (RE2::PartialMatch(failure_.message, R"(exit code: (\d+))", &code)) {
      return code;
    }
    return failure_.details.exit_code;
  }

  std::optional<Error> missing_dockerfile() const {
    if (!RE2::PartialMatch(
            failure_.message, "failed to read dockerfile: .*no such file or directory")) {
      return std::nullopt;
    }
    return Error(
        ErrorCode::not_found, fmt::format("no Dockerfile found at '{}'", failure_.dockerfile));
  }

  std::optional<Error> parse_error() const {
    int line = 0;
    std::string reason;
    if (RE2::PartialMatch(
            failure_.message,
            R"((?is)dockerfile parse error (?:on )?line (\d+): ([^\n]+))",
            &line,
            &reason)) {
      return invalid(reason).at(SourcePosition{failure_.dockerfile, line});
    }
    if (RE2::PartialMatch(
            failure_.message,
            "(?i)(file with no instructions|dockerfile cannot be empty)",
            &reason)) {
      return invalid("it has no instructions");
    }
    return std::nullopt;
  }

  std::optional<Error> missing_stage() const {
    std::string stage;
    if (!RE2::PartialMatch(
            failure_.message, R"RE(target stage "?([^"\s]+)"? could not be found)RE", &stage)) {
      return std::nullopt;
    }
    return Error(
        ErrorCode::invalid_input,
        fmt::format(
            "'{}' has no stage '{}'", failure_.dockerfile, printable(stage, k_command_bytes)));
  }

  std::optional<Error> base_image() const {
    std::string image;
    static const RE2 k_metadata(R"(^\[internal\] load metadata for (\S+))");
    static const RE2 k_from(R"(^(?:\[[^\]]*\] )?FROM (\S+))");
    static const RE2 k_text(
        R"(failed to resolve source metadata for ([^\s:]+(?::\d+/[^\s:]+)?(?::[^\s:]+)?))");
    if (!RE2::PartialMatch(failure_.vertex_name, k_metadata, &image) &&
        !RE2::PartialMatch(failure_.vertex_name, k_from, &image) &&
        !RE2::PartialMatch(failure_.message, k_text, &image)) {
      return std::nullopt;
    }
    return explain_base_image(printable(image, k_command_bytes)).with_remote_text(text_);
  }

  Error explain_base_image(const std::string& image) const {
    static const RE2 k_limited(R"((?i)(\b429\b|toomanyrequests|rate limit))");
    static const RE2 k_unclear(R"((?i)repository does not exist or may require)");
    static const RE2 k_denied(
        R"((?i)(\b401\b|\b403\b|unauthorized|forbidden|denied|authorization failed|)"
        R"(insufficient_scope|no basic auth))");
    static const RE2 k_platform(R"((?i)no match for platform)");
    static const RE2 k_missing(R"((?i)(\b404\b|not found|manifest unknown|name unknown))");
    const std::string& text = failure_.message;
    if (RE2::PartialMatch(text, k_limited)) {
      return Error(
          ErrorCode::rate_limited,
          fmt::format("the registry limits how often base image '{}' is pulled", image));
    }
    if (RE2::PartialMatch(text, k_unclear)) {
      return Error(
                 ErrorCode::upstream_denied,
                 fmt::format(
                     "base image '{}' does not exist, or its registry denies access to it", image))
          .with_hint("check the name, and the credentials for its registry");
    }
    if (RE2::PartialMatch(text, k_denied)) {
      return Error(
                 ErrorCode::upstream_denied,
                 fmt::format("the registry denied access to base image '{}'", image))
          .with_hint("check the credentials for its registry");
    }
    if (RE2::PartialMatch(text, k_platform)) {
      return Error(
          ErrorCode::not_found,
          fmt::format("base image '{}' does not exist for the engine's platform", image));
    }
    if (RE2::PartialMatch(text, k_missing)) {
      return Error(ErrorCode::not_found, fmt::format("base image '{}' does not exist", image));
    }
    return Error(
        ErrorCode::unavailable,
        fmt::format("base image '{}' cannot be fetched from its registry", image));
  }

  std::optional<Error> failed_command() const {
    const std::optional<int> code = exit_code();
    if (!code) {
      return std::nullopt;
    }
    return Error(
        ErrorCode::step_failed,
        fmt::format("the command '{}' ended with exit code {}", command(), *code));
  }

  std::string command() const {
    std::string command = instruction_of(failure_.vertex_name);
    if (RE2::Replace(&command, R"(^RUN (?:--\S+ )*)", "")) {
      return printable(command, k_command_bytes);
    }
    static const RE2 k_old(R"((?s)executor failed running \[(.*)\]: exit code)");
    static const RE2 k_new(R"RE((?s)process "(.*)" did not complete)RE");
    if (RE2::PartialMatch(failure_.message, k_old, &command) ||
        RE2::PartialMatch(failure_.message, k_new, &command)) {
      RE2::Replace(&command, "^/bin/sh -c ", "");
    }
    return printable(command, k_command_bytes);
  }

  std::optional<Error> missing_source() const {
    static const RE2 k_checksum(
        R"RE((?:failed to compute cache key|failed to calculate checksum)[^"]*)RE"
        R"RE("([^"]+)":? not found)RE");
    static const RE2 k_walk(
        R"(failed to walk .*/buildkit-mount\d+(/[^:]*): no such file or directory)");
    std::string path;
    if (!RE2::PartialMatch(failure_.message, k_checksum, &path) &&
        !RE2::PartialMatch(failure_.message, k_walk, &path)) {
      return std::nullopt;
    }
    path = printable(path, 300);
    std::string from;
    if (RE2::PartialMatch(failure_.vertex_name, R"(--from=(\S+))", &from)) {
      return Error(
          ErrorCode::not_found,
          fmt::format("'{}' does not exist in '{}'", path, printable(from, 300)));
    }
    return Error(
               ErrorCode::not_found, fmt::format("'{}' does not exist in the build context", path))
        .with_hint("check the path, which is relative to the context, and .dockerignore");
  }

  std::optional<Error> full_disk() const {
    if (failure_.message.find("no space left on device") == std::string::npos) {
      return std::nullopt;
    }
    return Error(ErrorCode::unavailable, "the disk of the Docker engine is full")
        .with_remote_text(text_);
  }

  /// What the frontend refused before anything ran.
  std::optional<Error> invalid_dockerfile() const {
    const bool is_old =
        failure_.message.find("failed to create LLB definition: ") != std::string::npos;
    const bool is_new = failure_.details.line > 0 && failure_.details.vertex_digest.empty();
    if (!failure_.vertex_name.empty() || (!is_old && !is_new)) {
      return std::nullopt;
    }
    return invalid(text_);
  }

  Error invalid(std::string_view reason) const {
    return Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is not valid: {}", failure_.dockerfile, printable(reason, 1000)));
  }

  const SolveFailure& failure_;
  std::string text_;
};

}  // namespace

FailureDetails parse_failure_details(std::string_view bytes) {
  FailureDetails out;
  freshet::rpc::Status status;
  if (!status.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return out;
  }
  for (const freshet::rpc::Detail& detail : status.details()) {
    const std::string& type = detail.type_url();
    boost::system::error_code code;
    const json::value value = json::parse(detail.value(), code);
    if (code) {
      continue;
    }
    if (type.ends_with("errdefs.Vertex+json")) {
      const json::value* digest = find_at(value, "/digest");
      if (digest != nullptr && digest->is_string()) {
        out.vertex_digest = digest->get_string().c_str();
      }
    } else if (type.ends_with("gatewayapi.ExitMessage+json")) {
      out.exit_code = find_int(value, "/Code");
    } else if (type.ends_with("errdefs.Source+json") && out.line == 0) {
      out.line = find_int(value, "/ranges/0/start/line").value_or(0);
    }
  }
  return out;
}

bool is_connection_loss(int status_code, std::string_view message) {
  if (status_code == grpc::StatusCode::UNKNOWN) {
    return message.starts_with("Stream removed");
  }
  // A failure that a registry caused may carry the same code, but with the daemon's own text.
  static const RE2 k_transport(
      "Socket closed|Broken pipe|Connection reset by peer|GOAWAY received|[Tt]ransport (is )?clos|"
      "recvmsg:|sendmsg:|End of TCP stream|Endpoint read failed");
  return status_code == grpc::StatusCode::UNAVAILABLE &&
         RE2::PartialMatch(re2::StringPiece(message.data(), message.size()), k_transport);
}

bool is_lack_of_buildkit(int status_code, std::string_view message) {
  return status_code == grpc::StatusCode::UNIMPLEMENTED ||
         message.find("http1.x server") != std::string_view::npos;
}

void throw_solve_failure(const SolveFailure& failure) {
  if (is_lack_of_buildkit(failure.status_code, failure.message)) {
    throw Error(ErrorCode::unsupported, "the Docker engine has no BuildKit")
        .with_hint("Docker Engine 20.10 or newer is needed, on Linux")
        .with_remote_text(failure.message);
  }
  const bool is_lost =
      is_connection_loss(failure.status_code, failure.message) ||
      (failure.status_code == grpc::StatusCode::UNAVAILABLE && failure.vertex_name.empty());
  if (is_lost) {
    throw Error(ErrorCode::unavailable, "the Docker engine went away during the build")
        .with_remote_text(failure.message);
  }
  Explanation(failure).raise();
}

}  // namespace freshet::engine
