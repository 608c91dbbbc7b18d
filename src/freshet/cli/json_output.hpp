// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/image.hpp"
#include "freshet/model/registry.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace freshet::cli {

/// Records as `--json` prints them; absent values are null.
boost::json::object to_json(const model::ImageRecord& image);
boost::json::object to_json(const model::RegistryIntegration& registry);

/// `text` with invalid UTF-8 replaced, since JSON holds nothing else.
std::string valid_utf8(std::string_view text);

/// One document on standard output.
void print_json(const boost::json::object& document);

}  // namespace freshet::cli
