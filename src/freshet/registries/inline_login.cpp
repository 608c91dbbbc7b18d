// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/inline_login.hpp"

#include "freshet/base/text.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/registries/aws/names.hpp"
#include "freshet/registries/naming.hpp"
#include "freshet/registries/providers/problems.hpp"

#include <fmt/format.h>

namespace freshet::registries {
namespace {

constexpr std::string_view k_http = "http://";
constexpr std::size_t k_max_shown = 100;

void check_ecr(const InlineLogin& login, Problems& problems) {
  if (login.access_key_id.empty()) {
    problems.add("'accessKeyId' of the push to Amazon ECR is empty");
  }
  if (login.secret_access_key.is_empty()) {
    problems.add("'secretAccessKey' of the push to Amazon ECR is empty");
  }
  if (!aws::is_region(login.region)) {
    problems.add(
        login.region.empty()
            ? "'region' of the push to Amazon ECR is empty"
            : fmt::format("'{}' is not a region of AWS", printable(login.region, k_max_shown)));
  }
}

}  // namespace

InlineTarget check_inline_login(const InlineLogin& login) {
  Problems problems;
  InlineTarget target;
  target.is_ecr = login.provider == "ecr";
  if (target.is_ecr) {
    check_ecr(login, problems);
    problems.throw_if_any();
    return target;
  }
  if (login.provider != "docker" && login.provider != "standard") {
    problems.add(
        fmt::format("'{}' is not a provider for a push", printable(login.provider, k_max_shown)),
        "write docker or ecr");
  }
  const std::string_view registry = trim(login.registry);
  target.is_plain_http = to_lower(registry.substr(0, k_http.size())) == k_http;
  target.domain =
      registry.empty()
          ? "docker.io"
          : problems.attempt(
                [&] { return validate_domain(host_of_web_address(registry)); }, std::string());
  if (login.username.empty()) {
    problems.add("'username' of the credentials is empty");
  }
  if (login.password.is_empty()) {
    problems.add("'password' of the credentials is empty");
  }
  problems.throw_if_any();
  return target;
}

}  // namespace freshet::registries
