// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/realm.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/net/address.hpp"
#include "freshet/oci/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace freshet::oci {
namespace {

struct Partners {
  std::string_view registry;
  std::string_view token_server;
};

/// Registries whose token server is of another registrable domain.
constexpr std::array k_partners{
    Partners{"registry-1.docker.io", "auth.docker.io"},
    Partners{"lscr.io", "ghcr.io"},
};

/// Domains under which strangers get names of their own, so that a common parent proves nothing.
constexpr std::array<std::string_view, 40> k_shared_suffixes{
    "amazonaws.com",
    "appspot.com",
    "azure.com",
    "azurecr.io",
    "azurefd.net",
    "azurewebsites.net",
    "bintray.io",
    "cloudapp.net",
    "cloudfront.net",
    "digitaloceanspaces.com",
    "duckdns.org",
    "dyndns.org",
    "fly.dev",
    "github.io",
    "githubusercontent.com",
    "gitlab.io",
    "googleapis.com",
    "googleusercontent.com",
    "herokuapp.com",
    "jfrog.io",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.io",
    "nip.io",
    "no-ip.org",
    "on.aws",
    "ondigitalocean.app",
    "onrender.com",
    "oraclecloud.com",
    "pages.dev",
    "pkg.dev",
    "run.app",
    "sslip.io",
    "trycloudflare.com",
    "ts.net",
    "vercel.app",
    "web.app",
    "windows.net",
    "workers.dev",
};

/// Second labels that stand for a kind of owner below two-letter country domains (`co.uk`).
constexpr std::array<std::string_view, 14> k_second_level{
    "ac", "co", "com", "edu", "gob", "gov", "go", "id", "mil", "ne", "net", "nom", "or", "org"};

bool is_ascii_host(std::string_view host) {
  return is_valid_domain(host) && host.find("xn--") == std::string_view::npos;
}

bool is_one_of(const auto& known, std::string_view word) {
  return std::ranges::find(known, word) != known.end();
}

bool are_partners(std::string_view registry, std::string_view token_server) {
  return std::ranges::any_of(k_partners, [&](const Partners& known) {
    return known.registry == registry && known.token_server == token_server;
  });
}

bool are_of_one_owner(std::string_view registry, std::string_view token_server) {
  const std::string owner = registrable_domain(registry);
  return !owner.empty() && owner == registrable_domain(token_server);
}

[[noreturn]] void refuse(
    const net::Url& registry, std::string_view server, std::string_view reason) {
  throw Error(
      ErrorCode::upstream_denied,
      fmt::format(
          "'{}' wants its credentials sent to '{}', {}", registry.authority(), server, reason))
      .with_hint(
          "nothing was sent; tell the registry's owner, or check the domain for a typing error");
}

}  // namespace

net::Url require_trusted_realm(
    const net::Url& registry, std::string_view realm, std::string_view token_server) {
  const auto url = net::parse_url(realm);
  if (!url || url->has_userinfo || !is_valid_domain(url->host)) {
    refuse(registry, printable(realm, 200), "which is not a plain http or https URL");
  }
  const bool is_same_host = url->host == registry.host;
  if (url->scheme != "https" && !(is_same_host && registry.scheme == "http")) {
    refuse(registry, url->origin(), "which is not encrypted");
  }
  if (!token_server.empty() && url->authority() != token_server) {
    refuse(
        registry,
        url->authority(),
        fmt::format("while its token server is known to be '{}'", token_server));
  }
  if (is_same_host || !token_server.empty()) {
    return *url;
  }
  if (net::is_internal_host(url->host)) {
    refuse(registry, url->authority(), "which is an internal address");
  }
  const bool is_known = are_partners(registry.host, url->host);
  if (!is_known && !(is_ascii_host(url->host) && are_of_one_owner(registry.host, url->host))) {
    refuse(registry, url->authority(), "which belongs to somebody else");
  }
  return *url;
}

std::string registrable_domain(std::string_view host) {
  const std::string lower = to_lower(host);
  std::vector<std::string> labels = split(lower, '.');
  if (labels.size() < 2 || net::address_of_host(lower)) {
    return {};
  }
  const std::string& top = labels.back();
  const std::string& second = labels[labels.size() - 2];
  if (is_one_of(k_shared_suffixes, second + "." + top)) {
    return {};
  }
  const bool is_country_kind = top.size() == 2 && is_one_of(k_second_level, second);
  const std::size_t wanted = is_country_kind ? 3 : 2;
  if (labels.size() < wanted) {
    return {};
  }
  labels.erase(labels.begin(), labels.end() - static_cast<std::ptrdiff_t>(wanted));
  return join(labels, ".");
}

}  // namespace freshet::oci
