// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/registry_auth.hpp"

#include "freshet/base/text.hpp"

#include <boost/json/serialize.hpp>

namespace freshet::engine {

Secret to_registry_auth_header(const std::optional<RegistryAuth>& auth) {
  if (!auth) {
    return Secret(to_base64_url("{}"));
  }
  // Put together by hand: a JSON value would keep copies of the password that nobody wipes.
  const Secret password(boost::json::serialize(auth->password.reveal()));
  const std::string username = boost::json::serialize(auth->username);
  const std::string server = boost::json::serialize(auth->server);
  std::string text;
  text.reserve(64 + username.size() + server.size() + password.reveal().size());
  text += R"({"username":)";
  text += username;
  text += R"(,"password":)";
  text += password.reveal();
  text += R"(,"serveraddress":)";
  text += server;
  text += "}";
  const Secret object(std::move(text));
  return Secret(to_base64_url(object.reveal()));
}

}  // namespace freshet::engine
