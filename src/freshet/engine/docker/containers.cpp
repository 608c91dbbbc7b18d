// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/client_impl.hpp"
#include "freshet/engine/docker/container_output.hpp"
#include "freshet/engine/docker/errors.hpp"
#include "freshet/engine/docker/json_access.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace freshet::engine {
namespace {

constexpr std::int64_t k_unknown_exit_code = 255;  // never a success

std::string path_of(std::string_view container, std::string_view verb) {
  return fmt::format("/containers/{}{}", encode_path(container), verb);
}

std::string subject_of(std::string_view container) {
  return fmt::format("container '{}'", container);
}

json::object to_json(const Mount& mount) {
  json::object object;
  object["Type"] = mount.kind == Mount::Kind::bind ? "bind" : "volume";
  object["Source"] = mount.source;
  object["Target"] = mount.target;
  object["ReadOnly"] = mount.read_only;
  return object;
}

json::object to_json(const ContainerSpec& spec) {
  json::object body;
  body["Image"] = spec.image;
  if (spec.entry_point) {
    body["Entrypoint"] = to_json_array(*spec.entry_point);
  }
  if (spec.command) {
    body["Cmd"] = to_json_array(*spec.command);
  }
  body["Env"] = to_json_array(spec.environment);
  body["WorkingDir"] = spec.working_directory;
  body["User"] = spec.user;
  body["Labels"] = to_json_object(spec.labels);
  body["AttachStdout"] = true;
  body["AttachStderr"] = true;
  json::array mounts;
  for (const Mount& mount : spec.mounts) {
    mounts.emplace_back(to_json(mount));
  }
  json::object host;
  host["Mounts"] = std::move(mounts);
  host["NetworkMode"] = spec.network.empty() ? "default" : spec.network;
  if (spec.capabilities) {
    host["CapDrop"] = to_json_array({"ALL"});
    host["CapAdd"] = to_json_array(*spec.capabilities);
  }
  if (spec.has_users_of_host) {
    host["UsernsMode"] = "host";
  }
  body["HostConfig"] = std::move(host);
  return body;
}

/// Its exit code when the container has run and ended; nullopt when it has not begun or still runs.
std::optional<int> past_exit_code(const json::value& details) {
  const json::object& state = object_at(as_object(details), "State");
  const std::string status = text_at(state, "Status");
  if (status != "exited" && status != "dead") {
    return std::nullopt;
  }
  return static_cast<int>(integer_at(state, "ExitCode").value_or(k_unknown_exit_code));
}

int exit_code_in(std::string_view body, const Endpoint& endpoint, std::string_view container) {
  json::error_code code;
  const json::value value = json::parse(body, code);
  const std::optional<std::int64_t> exit_code = integer_at(as_object(value), "StatusCode");
  if (code || !exit_code) {
    throw malformed_answer(endpoint, fmt::format("wait for {}", subject_of(container)));
  }
  const std::string problem = text_at(object_at(as_object(value), "Error"), "Message");
  if (!problem.empty()) {
    throw Error(
        ErrorCode::upstream_denied,
        fmt::format("the Docker engine could not wait for {}", subject_of(container)))
        .with_remote_text(problem);
  }
  return static_cast<int>(*exit_code);
}

}  // namespace

Awaitable<std::string> DockerClient::create_container(Ctx ctx, ContainerSpec spec) {
  const Query query{{"name", spec.name}};
  EngineRequest request = make_request(
      "POST",
      with_query("/containers/create", query),
      fmt::format("create a container from image '{}'", spec.image),
      fmt::format("image '{}'", spec.image));
  request.body = json::serialize(to_json(spec));
  const json::value answer = co_await impl_->call_json(ctx, std::move(request));
  std::string id = text_at(as_object(answer), "Id");
  if (id.empty()) {
    throw malformed_answer(endpoint(), "create a container");
  }
  co_return id;
}

Awaitable<std::unique_ptr<ContainerOutput>> DockerClient::attach(Ctx ctx, std::string container) {
  const Query query{{"stream", "1"}, {"stdout", "1"}, {"stderr", "1"}};
  const std::string subject = subject_of(container);
  EngineRequest request = make_request(
      "POST", with_query(path_of(container, "/attach"), query), "attach to " + subject, subject);
  request.upgrade = "tcp";
  std::unique_ptr<Connection> connection =
      co_await impl_->transport.hijack(ctx, std::move(request));
  co_return std::make_unique<AttachedOutput>(std::move(connection));
}

Awaitable<void> DockerClient::start_container(Ctx ctx, std::string container) {
  const std::string subject = subject_of(container);
  EngineRequest request =
      make_request("POST", path_of(container, "/start"), "start " + subject, subject);
  request.accepted.push_back(304);  // it runs already
  co_await impl_->transport.call(ctx, std::move(request));
}

Awaitable<int> DockerClient::wait_for_exit(Ctx ctx, std::string container) {
  const std::string subject = subject_of(container);
  const Query query{{"condition", "next-exit"}};
  EngineRequest request = make_request(
      "POST", with_query(path_of(container, "/wait"), query), "wait for " + subject, subject);
  // The engine sends the head as soon as it listens for the exit, and the body after it. Between
  // the caller's start and that moment a short-lived container may have ended, and 'next-exit'
  // would then wait for ever (20.10: until its removal). Hence the look at its state, once we
  // listen; it costs no time, for the container runs meanwhile.
  EngineAnswer answer = co_await impl_->transport.open(ctx, std::move(request));
  EngineRequest inspect =
      make_request("GET", path_of(container, "/json"), "inspect " + subject, subject);
  inspect.accepted.push_back(404);  // removed meanwhile: the wait itself tells how it ended
  const json::value details = co_await impl_->call_json(ctx, std::move(inspect));
  if (const std::optional<int> code = past_exit_code(details)) {
    co_return *code;
  }
  const std::string body =
      co_await impl_->transport.read_rest(ctx, answer.stream, "tell the end of " + subject);
  impl_->transport.give_back(std::move(answer.stream));
  co_return exit_code_in(body, endpoint(), container);
}

Awaitable<void> DockerClient::kill_container(Ctx ctx, std::string container, std::string signal) {
  const std::string subject = subject_of(container);
  const Query query{{"signal", signal}};
  EngineRequest request = make_request(
      "POST",
      with_query(path_of(container, "/kill"), query),
      fmt::format("send {} to {}", signal, subject),
      subject);
  co_await impl_->transport.call(ctx, std::move(request));
}

Awaitable<void> DockerClient::remove_container(Ctx ctx, std::string container) {
  const Query query{{"v", "1"}, {"force", "1"}};
  const std::string subject = subject_of(container);
  EngineRequest request = make_request(
      "DELETE", with_query(path_of(container, ""), query), "remove " + subject, subject);
  request.accepted.push_back(404);
  co_await impl_->transport.call(ctx, std::move(request));
}

Awaitable<std::vector<LabelledObject>> DockerClient::list_containers(Ctx ctx, std::string label) {
  const json::value answer = co_await impl_->list(ctx, "/containers/json", "containers", label);
  std::vector<LabelledObject> found;
  for (const json::value& container : as_array(answer)) {
    const json::object& object = as_object(container);
    found.push_back(LabelledObject{text_at(object, "Id"), labels_at(object, "Labels")});
  }
  co_return found;
}

}  // namespace freshet::engine
