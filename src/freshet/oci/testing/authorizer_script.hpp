// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/distribution/authorizer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace freshet::oci::testing {

inline const std::string k_url = "https://r.example.com/v2/team/app/tags/list";
inline const std::string k_get = "GET " + k_url;
inline const std::string k_pull = "repository:team/app:pull";
inline const std::string k_token =
    "GET https://auth.example.com/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull";
// "bob:hunter2"
inline const std::string k_basic = "Basic Ym9iOmh1bnRlcjI=";

inline net::testing::Outcome bearer_401(std::string realm = "https://auth.example.com/token") {
  return net::testing::reply(
      401,
      "",
      {{"WWW-Authenticate",
        "Bearer realm=\"" + realm + "\",service=\"reg\",scope=\"repository:*:*\""}});
}

inline net::testing::Outcome basic_401() {
  return net::testing::reply(
      401,
      R"({"errors":[{"code":"UNAUTHORIZED","message":"no"}]})",
      {{"WWW-Authenticate", "Basic realm=\"x\""}});
}

inline net::testing::Outcome token(std::string value, std::string more = "") {
  return net::testing::reply(200, R"({"token":")" + value + "\"" + more + "}");
}

class AuthorizerTest : public ::testing::Test {
 protected:
  Authorizer make(net::HttpClient& http, bool with_credentials = true) {
    std::optional<Credentials> credentials;
    if (with_credentials) {
      credentials = Credentials{"bob", Secret("hunter2")};
    }
    return make(http, std::make_shared<FixedCredentials>(credentials));
  }
  Authorizer make(net::HttpClient& http, std::shared_ptr<CredentialSource> source) {
    return Authorizer(http, "r.example.com", std::move(source), [this] { return now_; });
  }

  static int status(Authorizer& authorizer, std::string scope = k_pull) {
    net::HttpRequest request;
    request.url = k_url;
    return net::testing::run(authorizer.send(Ctx{}, request, scope)).status;
  }

  static Error refusal(Authorizer& authorizer, std::string scope = k_pull) {
    try {
      status(authorizer, scope);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::internal, "none");
  }

  Ctx::Clock::time_point now_{};
};

}  // namespace freshet::oci::testing
