// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/solve_request.hpp"

#include <fmt/format.h>

namespace freshet::engine {

moby::buildkit::v1::SolveRequest make_solve_request(
    const BuildRequest& request,
    const std::string& dockerfile_name,
    const std::string& ref,
    const std::string& session) {
  moby::buildkit::v1::SolveRequest out;
  out.set_ref(ref);
  out.set_session(session);
  out.set_frontend("dockerfile.v0");
  // Old daemons know only the single exporter, new ones prefer the list; without either the build
  // succeeds and stores nothing.
  out.set_exporter("moby");
  out.add_exporters()->set_type("moby");
  // BuildKit 0.17 to 0.21 crashes as a whole when this is absent.
  out.mutable_cache();

  auto& attributes = *out.mutable_frontend_attributes();
  attributes["filename"] = dockerfile_name;
  // A base image that the engine has is used: with containerd's image store the default would ask
  // its registry nevertheless, with the login for another image of that host.
  attributes["image-resolve-mode"] = "local";
  if (!request.target.empty()) {
    attributes["target"] = request.target;
  }
  if (request.no_cache) {
    attributes["no-cache"] = "";  // empty: all stages
  }
  for (const auto& [name, value] : request.build_arguments) {
    attributes[fmt::format("build-arg:{}", name)] = value;
  }
  for (const auto& [name, value] : request.labels) {
    attributes[fmt::format("label:{}", name)] = value;
  }
  return out;
}

}  // namespace freshet::engine
