// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/registry_errors.hpp"

#include "freshet/base/text.hpp"
#include "freshet/oci/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace freshet::engine {
namespace {

enum class Meaning {
  rate_limited,
  no_room,
  internal_error,
  registry_failed,
  too_large,
  bad_credentials,
  denied,
  image_missing_here,
  missing,
  not_trusted,
  plain_http,
  unreachable,
  unclear,
};

struct Sign {
  std::string_view text;  // lower case
  Meaning meaning;
};

/// In the order of the search: the first sign that the text contains decides. What a registry said
/// in so many words comes before what the HTTP client made of it.
const std::vector<Sign>& signs() {
  static const std::vector<Sign> all{
      {"toomanyrequests", Meaning::rate_limited},
      {"429 too many requests", Meaning::rate_limited},
      {"no space left on device", Meaning::no_room},
      {"507 insufficient storage", Meaning::internal_error},
      {"received unexpected http status: 500", Meaning::internal_error},
      {"500 internal server error", Meaning::internal_error},
      {"received unexpected http status: 5", Meaning::registry_failed},
      {"502 bad gateway", Meaning::registry_failed},
      {"503 service unavailable", Meaning::registry_failed},
      {"504 gateway time-out", Meaning::registry_failed},
      {"504 gateway timeout", Meaning::registry_failed},
      {"blob upload unknown", Meaning::registry_failed},
      {"413 request entity too large", Meaning::too_large},
      {"error parsing http 413", Meaning::too_large},
      {"size_invalid", Meaning::too_large},
      {"no basic auth credentials", Meaning::bad_credentials},
      {"incorrect username or password", Meaning::bad_credentials},
      {"authentication required", Meaning::bad_credentials},
      {"authorization token has expired", Meaning::bad_credentials},
      {"unauthorized", Meaning::bad_credentials},
      {"denied", Meaning::denied},
      {"insufficient_scope", Meaning::denied},
      {"403 forbidden", Meaning::denied},
      {"an image does not exist locally", Meaning::image_missing_here},
      {"tag does not exist", Meaning::image_missing_here},
      {"manifest unknown", Meaning::missing},
      {"name unknown", Meaning::missing},
      {"repository name not known", Meaning::missing},
      {"x509:", Meaning::not_trusted},
      {"server gave http response to https client", Meaning::plain_http},
      {"connection refused", Meaning::unreachable},
      {"no such host", Meaning::unreachable},
      {"timeout", Meaning::unreachable},
      {"deadline exceeded", Meaning::unreachable},
      {"server misbehaving", Meaning::unreachable},
      {"temporary failure in name resolution", Meaning::unreachable},
      {"network is unreachable", Meaning::unreachable},
      {"no route to host", Meaning::unreachable},
      {"connection reset", Meaning::unreachable},
      {"broken pipe", Meaning::unreachable},
      {": eof", Meaning::unreachable},
      {"not found", Meaning::missing},
  };
  return all;
}

Meaning meaning_of(std::string_view text) {
  const std::string lower = to_lower(text);
  const auto found = std::find_if(signs().begin(), signs().end(), [&](const Sign& sign) {
    return lower.find(sign.text) != std::string::npos;
  });
  return found == signs().end() ? Meaning::unclear : found->meaning;
}

Error make_error(const Transfer& transfer, Meaning meaning) {
  const bool is_push = transfer.direction == Transfer::Direction::push;
  const std::string_view verb = is_push ? "push" : "pull";
  const std::string& image = transfer.reference;
  const std::string registry = oci::leading_domain(image).value_or("docker.io");
  switch (meaning) {
    case Meaning::rate_limited:
      return Error(
          ErrorCode::rate_limited, fmt::format("{} limits how often it is asked", registry));
    case Meaning::no_room:
      if (!is_push) {
        return Error(
                   ErrorCode::unavailable,
                   fmt::format("the Docker engine has no room for '{}'", image))
            .with_hint("'docker system df' shows what takes the room");
      }
      [[fallthrough]];
    case Meaning::internal_error:
      if (is_push) {
        return Error(
                   ErrorCode::unavailable, fmt::format("{} could not store '{}'", registry, image))
            .with_hint("its disk may be full: the registry's own log tells");
      }
      [[fallthrough]];
    case Meaning::registry_failed:
      return Error(ErrorCode::unavailable, fmt::format("{} is out of order", registry));
    case Meaning::too_large:
      return Error(
                 ErrorCode::too_large,
                 fmt::format("{} takes no layer as large as one of '{}'", registry, image))
          .with_hint("a proxy before the registry may limit the size of requests");
    case Meaning::bad_credentials:
      return transfer.has_credentials
                 ? Error(
                       ErrorCode::upstream_denied,
                       fmt::format("{} refused the credentials for '{}'", registry, image))
                 : Error(
                       ErrorCode::upstream_denied,
                       fmt::format(
                           "{} wants credentials for '{}', and there are none", registry, image));
    case Meaning::denied:
      return Error(
          ErrorCode::upstream_denied,
          fmt::format("{} denied the {} of '{}'", registry, verb, image));
    case Meaning::image_missing_here:
      return Error(ErrorCode::not_found, fmt::format("the Docker engine has no image '{}'", image));
    case Meaning::missing:
      return Error(ErrorCode::not_found, fmt::format("{} has no '{}'", registry, image));
    case Meaning::not_trusted:
      return Error(
                 ErrorCode::upstream_denied,
                 fmt::format("the Docker engine does not trust the certificate of {}", registry))
          .with_hint(
              fmt::format("give its CA to the engine: /etc/docker/certs.d/{}/ca.crt", registry));
    case Meaning::plain_http:
      return Error(
                 ErrorCode::upstream_denied,
                 fmt::format(
                     "{} speaks plain HTTP, which the Docker engine does not allow", registry))
          .with_hint(fmt::format(
              "put \"{}\" into \"insecure-registries\" of the engine's daemon.json", registry));
    case Meaning::unreachable:
      return Error(
          ErrorCode::unavailable, fmt::format("the Docker engine does not reach {}", registry));
    case Meaning::unclear:
      break;
  }
  return Error(
      ErrorCode::upstream_denied, fmt::format("the Docker engine could not {} '{}'", verb, image));
}

}  // namespace

Error transfer_error(const Transfer& transfer, std::string_view text, int http_status) {
  return make_error(transfer, meaning_of(text)).with_remote_text(text, http_status);
}

}  // namespace freshet::engine
