// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/solve_request.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace freshet::engine {
namespace {

namespace json = boost::json;

/// The builder reads the imports of its own request, its frontend those among its attributes.
/// Source: shared protocol definitions of BuildKit (moby.buildkit.v1).
void add_cache(moby::buildkit::v1::SolveRequest& out, const BuildRequest& request) {
  // BuildKit 0.17 to 0.21 crashes as a whole when this is absent.
  auto& cache = *out.mutable_cache();
  if (request.exports_inline_cache) {
    cache.add_exports()->set_type("inline");
  }
  json::array imports;
  for (const std::string& reference : request.cache_sources) {
    auto& entry = *cache.add_imports();
    entry.set_type("registry");
    (*entry.mutable_attributes())["ref"] = reference;
    imports.push_back({{"Type", "registry"}, {"Attrs", {{"ref", reference}}}});
  }
  if (!imports.empty()) {
    (*out.mutable_frontend_attributes())["cache-imports"] = json::serialize(imports);
  }
}

}  // namespace

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
  add_cache(out, request);

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
