// SPDX-License-Identifier: Apache-2.0
// Volumes and networks.
#include "freshet/engine/docker/client_impl.hpp"
#include "freshet/engine/docker/json_access.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace freshet::engine {
namespace {

std::vector<LabelledObject> labelled(const json::array& objects, std::string_view id_member) {
  std::vector<LabelledObject> found;
  for (const json::value& value : objects) {
    const json::object& object = as_object(value);
    found.push_back(LabelledObject{text_at(object, id_member), labels_at(object, "Labels")});
  }
  return found;
}

}  // namespace

Awaitable<void> DockerClient::create_volume(Ctx ctx, VolumeSpec spec) {
  const std::string subject = fmt::format("volume '{}'", spec.name);
  EngineRequest request = make_request("POST", "/volumes/create", "create " + subject, "");
  json::object body;
  body["Name"] = spec.name;
  body["Labels"] = to_json_object(spec.labels);
  body["DriverOpts"] = to_json_object(spec.driver_options);
  request.body = json::serialize(body);
  co_await impl_->transport.call(ctx, std::move(request));
}

Awaitable<void> DockerClient::remove_volume(Ctx ctx, std::string volume) {
  co_await impl_->remove(
      ctx, "/volumes/" + encode_path(volume), fmt::format("volume '{}'", volume));
}

Awaitable<std::vector<LabelledObject>> DockerClient::list_volumes(Ctx ctx, std::string label) {
  const json::value answer = co_await impl_->list(ctx, "/volumes", "volumes", label);
  co_return labelled(array_at(as_object(answer), "Volumes"), "Name");
}

Awaitable<void> DockerClient::remove_network(Ctx ctx, std::string network) {
  co_await impl_->remove(
      ctx, "/networks/" + encode_path(network), fmt::format("network '{}'", network));
}

Awaitable<std::vector<LabelledObject>> DockerClient::list_networks(Ctx ctx, std::string label) {
  const json::value answer = co_await impl_->list(ctx, "/networks", "networks", label);
  co_return labelled(as_array(answer), "Id");
}

}  // namespace freshet::engine
