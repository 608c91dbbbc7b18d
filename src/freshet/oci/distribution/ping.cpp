// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/ping.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/url.hpp"
#include "freshet/oci/distribution/challenge.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

constexpr std::size_t k_max_type = 60;

bool has_version_header(const net::HttpResponse& response) {
  return response.headers.find("Docker-Distribution-Api-Version").value_or("").find("registry/2") !=
         std::string::npos;
}

bool has_usable_challenge(const net::HttpResponse& response) {
  return std::ranges::any_of(
      response.headers.find_all("WWW-Authenticate"), [](const std::string& header) {
        return std::ranges::any_of(parse_challenges(header), [](const Challenge& challenge) {
          return challenge.scheme == "basic" ||
                 (challenge.scheme == "bearer" && !challenge.parameter("realm").empty());
        });
      });
}

bool is_empty_or_json(std::string_view body) {
  boost::system::error_code failure;
  const auto ignored = boost::json::parse(body, failure);
  return trim(body).empty() || !failure;
}

std::string evidence_of(const net::HttpResponse& response) {
  const std::string location = response.headers.find("Location").value_or("");
  if (response.status >= 300 && response.status < 400 && !location.empty()) {
    return fmt::format("HTTP {} to '{}'", response.status, net::redacted(location));
  }
  const std::string type =
      printable(split(response.headers.find("Content-Type").value_or(""), ';').front(), k_max_type);
  return type.empty() ? fmt::format("HTTP {}", response.status)
                      : fmt::format("HTTP {} with a '{}' page", response.status, type);
}

}  // namespace

PingAnswer judge_ping(const net::HttpResponse& response) {
  PingAnswer answer;
  answer.wants_credentials = response.status == 401;
  const bool lets_in = response.status == 200 && is_empty_or_json(response.body);
  const bool refuses = response.status == 401 && has_usable_challenge(response);
  const bool answered = response.status == 200 || response.status == 401 || response.status == 403;
  answer.is_registry = lets_in || refuses || (answered && has_version_header(response));
  if (!answer.is_registry) {
    answer.evidence = evidence_of(response);
  }
  return answer;
}

}  // namespace freshet::oci
