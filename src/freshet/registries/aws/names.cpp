// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/names.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace freshet::registries::aws {
namespace {

constexpr std::size_t k_account_digits = 12;
constexpr std::size_t k_max_region = 32;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_account(std::string_view text) {
  return text.size() == k_account_digits && std::ranges::all_of(text, is_digit);
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

std::optional<EcrDomain> parse_ecr_domain(std::string_view domain) {
  const std::vector<std::string> parts = split(domain, '.');
  const bool is_ecr = parts.size() >= 6 && parts[1] == "dkr" &&
                      (parts[2] == "ecr" || parts[2] == "ecr-fips") && is_account(parts[0]) &&
                      is_region(parts[3]);
  if (!is_ecr) {
    return std::nullopt;
  }
  EcrDomain out{parts[0], parts[3]};
  const std::vector<std::string> rest(parts.begin() + 4, parts.end());
  return join(rest, ".") == dns_suffix(out.region) ? std::optional(out) : std::nullopt;
}

std::string make_ecr_domain(std::string_view account, std::string_view region) {
  return fmt::format("{}.dkr.ecr.{}.{}", account, region, dns_suffix(region));
}

bool is_region(std::string_view region) {
  const std::vector<std::string> parts = split(region, '-');
  if (parts.size() < 3 || region.size() > k_max_region) {
    return false;
  }
  const std::string& number = parts.back();
  return std::all_of(parts.begin(), parts.end() - 1, is_word) && !number.empty() &&
         number.size() <= 2 && std::ranges::all_of(number, is_digit);
}

std::string dns_suffix(std::string_view region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

std::optional<std::string> account_of_role(std::string_view role_arn) {
  constexpr std::string_view k_role = "role/";
  const std::vector<std::string> parts = split(role_arn, ':');
  const bool is_role = parts.size() == 6 && parts[0] == "arn" && parts[1].starts_with("aws") &&
                       parts[2] == "iam" && parts[3].empty() && is_account(parts[4]) &&
                       parts[5].starts_with(k_role) && parts[5].size() > k_role.size() &&
                       parts[5].find_first_of(" \t\r\n") == std::string::npos;
  return is_role ? std::optional(parts[4]) : std::nullopt;
}

}  // namespace freshet::registries::aws
