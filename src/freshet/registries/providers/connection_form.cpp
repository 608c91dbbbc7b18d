// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/providers/connection_form.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/url.hpp"
#include "freshet/registries/naming.hpp"
#include "freshet/registries/tls_material.hpp"

#include <fmt/format.h>

namespace freshet::registries {
namespace {

constexpr std::size_t k_max_shown = 100;

/// What `text` looks like without the user and password that it may carry.
std::string shown_url(std::string_view text) {
  return printable(net::redacted(text), k_max_shown);
}

void require_certificates(std::string_view pem, std::string_view what, Problems& problems) {
  if (pem.empty()) {
    return;
  }
  const auto count = [&]() -> std::size_t {
    const std::size_t found = count_certificates(pem);
    if (found == 0) {
      problems.add(
          fmt::format("the {} holds no certificate", what),
          "it has to be in PEM form: '-----BEGIN CERTIFICATE-----'");
    }
    return found;
  };
  problems.attempt(count, std::size_t{1});
}

void check_proxy(model::RegistryConnection& connection, Problems& problems) {
  connection.proxy = trim(connection.proxy);
  if (connection.proxy.empty()) {
    if (!connection.proxy_username.empty()) {
      problems.add("there is a user for the proxy but no proxy", "name it with --proxy");
    }
    return;
  }
  const auto url = net::parse_url(connection.proxy);
  if (!url) {
    problems.add("the proxy is not a URL", "write http://HOST:PORT or https://HOST:PORT");
  } else if (url->has_userinfo) {
    problems.add(
        "the URL of the proxy carries a user",
        "give the user with --proxy-username; its password is asked for and kept sealed");
  } else if (url->target() != "/") {
    problems.add(
        fmt::format("proxy '{}' has more than a host and a port", shown_url(connection.proxy)));
  } else {
    connection.proxy = url->origin();
  }
}

std::string normal_mirror(std::string_view text) {
  constexpr std::string_view k_https = "https://";
  if (to_lower(text.substr(0, k_https.size())) == k_https) {
    text.remove_prefix(k_https.size());
  }
  const std::size_t slash = text.find('/');
  const std::string domain = validate_domain(text.substr(0, slash));
  const std::string path =
      slash == std::string_view::npos ? std::string() : normalise_prefix(text.substr(slash));
  return path.empty() ? domain : domain + "/" + path;
}

void check_mirror(model::RegistryIntegration& record, Problems& problems) {
  model::RegistryConnection& connection = record.connection;
  connection.mirror = trim(connection.mirror);
  if (connection.mirror.empty()) {
    return;
  }
  connection.mirror =
      problems.attempt([&] { return normal_mirror(connection.mirror); }, connection.mirror);
  if (connection.mirror == record.domain) {
    problems.add(fmt::format("registry '{}' cannot be its own mirror", record.domain));
  }
}

}  // namespace

void check_connection(
    const ProviderChoice& choice, model::RegistryIntegration& record, Problems& problems) {
  model::RegistryConnection& connection = record.connection;
  if (connection.is_plain_http && choice.domain_rule != DomainRule::given) {
    problems.add(
        fmt::format("{} speaks https only", choice.label),
        "plain http is for registries of your own: provider 'other'");
  }
  require_certificates(connection.ca_certificates, "CA file", problems);
  require_certificates(connection.client_certificate, "client certificate file", problems);
  check_proxy(connection, problems);
  check_mirror(record, problems);
  if (!connection.token_server.empty()) {
    connection.token_server = problems.attempt(
        [&] { return validate_domain(connection.token_server); }, connection.token_server);
  }
}

}  // namespace freshet::registries
