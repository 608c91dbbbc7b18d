// SPDX-License-Identifier: Apache-2.0
#include "freshet/model/build.hpp"
#include "freshet/model/registry.hpp"

#include <array>
#include <utility>

namespace freshet::model {
namespace {

constexpr std::array k_providers{
    std::pair{Provider::dockerhub, std::string_view("dockerhub")},
    std::pair{Provider::acr, std::string_view("acr")},
    std::pair{Provider::gcr, std::string_view("gcr")},
    std::pair{Provider::gar, std::string_view("gar")},
    std::pair{Provider::ecr, std::string_view("ecr")},
    std::pair{Provider::bintray, std::string_view("bintray")},
    std::pair{Provider::other, std::string_view("other")},
};

constexpr std::array k_push_modes{
    std::pair{PushMode::automatic, std::string_view("auto")},
    std::pair{PushMode::explicit_only, std::string_view("explicit")},
    std::pair{PushMode::never, std::string_view("never")},
};

constexpr std::array k_results{
    std::pair{StepResult::pending, std::string_view("pending")},
    std::pair{StepResult::running, std::string_view("running")},
    std::pair{StepResult::success, std::string_view("success")},
    std::pair{StepResult::failure, std::string_view("failure")},
    std::pair{StepResult::skipped, std::string_view("skipped")},
    std::pair{StepResult::terminated, std::string_view("terminated")},
};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [known, name] : table) {
    if (known == value) {
      return name;
    }
  }
  return {};
}

template <class Table>
auto value_in(const Table& table, std::string_view name)
    -> std::optional<typename Table::value_type::first_type> {
  for (const auto& [value, known] : table) {
    if (known == name) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Provider provider) {
  return name_in(k_providers, provider);
}

std::optional<Provider> provider_from_string(std::string_view name) {
  return value_in(k_providers, name);
}

std::string_view to_string(PushMode mode) {
  return name_in(k_push_modes, mode);
}

std::optional<PushMode> push_mode_from_string(std::string_view name) {
  return value_in(k_push_modes, name);
}

std::string_view to_string(StepResult result) {
  return name_in(k_results, result);
}

std::optional<StepResult> step_result_from_string(std::string_view name) {
  return value_in(k_results, name);
}

}  // namespace freshet::model
