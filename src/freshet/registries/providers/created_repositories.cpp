// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/providers/created_repositories.hpp"

#include "freshet/oci/strict_json.hpp"

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace freshet::registries {
namespace json = boost::json;
namespace {

constexpr std::size_t k_max_policy_characters = 30720;  // ECR takes no more
constexpr std::size_t k_max_policy_depth = 16;
constexpr std::string_view k_policy_hint =
    "write the document of Amazon ECR's lifecycle policies: {\"rules\": [...]}";

void check_policy(std::string_view text, Problems& problems) {
  if (text.size() > k_max_policy_characters) {
    problems.add(fmt::format(
        "the lifecycle policy is {} characters, the limit is {}",
        text.size(),
        k_max_policy_characters));
    return;
  }
  const std::string fault = oci::json_fault(text, k_max_policy_depth);
  if (!fault.empty()) {
    problems.add(
        fmt::format("the lifecycle policy is no JSON: {}", fault), std::string(k_policy_hint));
    return;
  }
  const auto document = oci::parse_strict_json(text, k_max_policy_depth);
  const json::object* object = document ? document->if_object() : nullptr;
  const json::value* rules = object == nullptr ? nullptr : object->if_contains("rules");
  if (rules == nullptr || !rules->is_array()) {
    problems.add("the lifecycle policy has no list of 'rules'", std::string(k_policy_hint));
  }
}

}  // namespace

void check_created_repositories(
    const ProviderChoice& choice, const model::RegistryIntegration& record, Problems& problems) {
  const model::RepositoryTemplate& created = record.repository_template;
  if (!created.lifecycle_policy.empty()) {
    check_policy(created.lifecycle_policy, problems);
  }
  if (!record.creates_repositories) {
    if (created != model::RepositoryTemplate()) {
      problems.add(
          "scan on push, immutable tags and a lifecycle policy are for repositories that Freshet "
          "creates",
          "add --create-repositories");
    }
    return;
  }
  if (record.provider != model::Provider::ecr) {
    problems.add(
        fmt::format("provider '{}' makes repositories by itself", choice.name),
        "leave --create-repositories out");
  } else if (record.repository_prefix.empty()) {
    problems.add(
        "repositories are created below a repository prefix only, and there is none",
        "name one with --prefix");
  }
}

}  // namespace freshet::registries
