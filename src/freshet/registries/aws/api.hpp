// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/registries/aws/keys.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <string>

namespace freshet::registries::aws {

/// Where AWS is asked. Empty: where it is; tests put a server of their own in.
struct Endpoints {
  std::string ecr;  // origin, e.g. `http://127.0.0.1:5000`
  std::string ecr_public;
  std::string sts;
  std::string instance_metadata = "http://169.254.169.254";
  std::string container = "http://169.254.170.2";
};

/// What all requests to AWS need. `http` must outlive it.
struct Access {
  net::HttpClient* http = nullptr;
  Endpoints endpoints;
  WallClock clock = &now;
};

/// One service in one region.
struct Service {
  std::string name;  // for the signature, e.g. `ecr`
  std::string region;
  std::string origin;
};

Service ecr_service(const Endpoints& endpoints, const std::string& region);
Service ecr_public_service(const Endpoints& endpoints);
Service sts_service(const Endpoints& endpoints, const std::string& region);

/// An answer of AWS that says no, with the name that it gives the reason.
class Refusal : public Error {
 public:
  Refusal(ErrorCode code, std::string message, std::string kind)
      : Error(code, std::move(message)), kind_(std::move(kind)) {}

  const std::string& kind() const { return kind_; }  // e.g. `RepositoryAlreadyExistsException`

 private:
  std::string kind_;
};

/// One call of a service that speaks JSON, e.g. `AmazonEC2ContainerRegistry_V20150921.X`, signed
/// with the keys of `keys`; with renewed ones when those have expired. Tried again while AWS is
/// busy. Throws Refusal, net::TransportError, and what `keys` throws.
/// Source: "AWS JSON 1.1 protocol".
Awaitable<boost::json::object> call_json(
    Ctx ctx,
    Access access,
    Service service,
    std::shared_ptr<KeySource> keys,
    std::string target,
    boost::json::object body);

/// One call of a service that takes a form and answers in XML; signed when there are keys.
/// Throws as `call_json`. Source: "AWS Query protocol".
Awaitable<std::string> call_query(
    Ctx ctx, Access access, Service service, std::shared_ptr<KeySource> keys, std::string form);

}  // namespace freshet::registries::aws
