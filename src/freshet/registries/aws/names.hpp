// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace freshet::registries::aws {

/// What the host of a private ECR registry says.
struct EcrDomain {
  std::string account;  // 12 digits
  std::string region;
};

/// nullopt when `domain` is no host of ECR.
std::optional<EcrDomain> parse_ecr_domain(std::string_view domain);
/// `account.dkr.ecr.region.amazonaws.com`, in China with `.cn` behind it.
std::string make_ecr_domain(std::string_view account, std::string_view region);

/// Whether `region` has the form of a region's name, e.g. `us-gov-west-1`. New ones appear, so
/// there is no list of them.
bool is_region(std::string_view region);
/// `amazonaws.com`, or what it is in the partition of `region`.
std::string dns_suffix(std::string_view region);

/// The account in a role's ARN, `arn:<partition>:iam::<12 digits>:role/<name>`; nullopt when it is
/// none.
std::optional<std::string> account_of_role(std::string_view role_arn);

}  // namespace freshet::registries::aws
