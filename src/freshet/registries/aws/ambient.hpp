// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/registries/aws/api.hpp"
#include "freshet/registries/aws/renewed.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::registries::aws {

/// Looks up a variable of the environment; nullopt when it is unset or empty.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// The process's own.
std::optional<std::string> process_environment(std::string_view name);

/// The identity of the machine, from the first of these that there is:
/// 1. keys in the environment (`AWS_ACCESS_KEY_ID`, …);
/// 2. a web identity token (`AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`), as in Kubernetes;
/// 3. the endpoint of a container (`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `…_FULL_URI`), as in
///    ECS and with pod identity;
/// 4. the metadata of the instance, version 2, unless `AWS_EC2_METADATA_DISABLED` is `true`.
/// Throws not_found when there is none of them; a source that is there but does not work is an
/// error, and the next one is not tried.
/// Source: "AWS SDKs and Tools Reference Guide", standardized credential providers.
class AmbientKeys final : public KeySource {
 public:
  /// `region` is where STS is asked. `local_http` speaks to the endpoints of container and
  /// instance, which no proxy can reach; it must outlive this, as `access.http`.
  AmbientKeys(
      Access access, net::HttpClient& local_http, std::string region, Environment environment);

  Awaitable<Keys> get(Ctx ctx) override;
  bool discard() override { return renewed_.discard(); }

 private:
  Awaitable<Renewed<Keys>::Dated> fetch(Ctx ctx);
  Awaitable<Keys> find(Ctx ctx);
  Awaitable<Keys> from_web_identity(Ctx ctx, std::string token_file);
  Awaitable<Keys> from_container(Ctx ctx, std::string url);
  Awaitable<Keys> from_instance(Ctx ctx);
  /// The address of the container's endpoint; empty when there is none.
  std::string container_url() const;

  Access access_;
  net::HttpClient& local_http_;
  std::string region_;
  Environment environment_;
  Renewed<Keys> renewed_;
};

}  // namespace freshet::registries::aws
