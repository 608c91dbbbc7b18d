// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::oci {

/// Why a text is no JSON that can be read in one way only; empty when it is.
/// Names that occur twice in one object are refused: readers differ in which value they take.
std::string json_fault(std::string_view text, std::size_t max_depth);

/// The value of `text`; nullopt when `json_fault` finds one.
std::optional<boost::json::value> parse_strict_json(std::string_view text, std::size_t max_depth);

}  // namespace freshet::oci
