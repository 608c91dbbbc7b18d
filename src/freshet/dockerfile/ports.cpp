// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/ports.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;

using PortRange = std::pair<int, int>;

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  text.remove_prefix(text.starts_with('+') ? 1 : 0);
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_port = code == std::errc() && !text.empty() && end == text.data() + text.size() &&
                       port >= 0 && port <= 65535;
  return is_port ? std::optional(port) : std::nullopt;
}

std::optional<PortRange> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  return first && last && *first <= *last ? std::optional(PortRange(*first, *last)) : std::nullopt;
}

bool is_size_equal(const PortRange& a, const PortRange& b) {
  return a.second - a.first == b.second - b.first;
}

}  // namespace

std::vector<std::string> parse_ports(std::string_view text, Budget& budget) {
  const Error error =
      Error(ErrorCode::invalid_input, fmt::format("'{}' is no port", printable(text, k_max_shown)))
          .with_hint("a port is such as 80, 53/udp or 8000-8010");
  const std::size_t colon = text.rfind(':');
  std::string_view container = colon == std::string_view::npos ? text : text.substr(colon + 1);
  std::string protocol = "tcp";
  if (const std::size_t slash = container.find('/'); slash != std::string_view::npos) {
    const std::string given = to_lower(container.substr(slash + 1));
    if (!given.empty() && given != "tcp" && given != "udp" && given != "sctp") {
      throw error;
    }
    protocol = given.empty() ? protocol : given;
    container = container.substr(0, slash);
  }
  const auto range = parse_range(container);
  if (!range) {
    throw error;
  }
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    const std::size_t address = host.rfind(':');
    host = address == std::string_view::npos ? host : host.substr(address + 1);
    const auto host_range = host.empty() ? range : parse_range(host);
    if (!host_range || (!is_size_equal(*host_range, *range) && range->first != range->second)) {
      throw error;
    }
  }
  std::vector<std::string> ports;
  for (int port = range->first; port <= range->second; ++port) {
    ports.push_back(fmt::format("{}/{}", port, protocol));
    budget.spend(128);
  }
  return ports;
}

}  // namespace freshet::dockerfile
