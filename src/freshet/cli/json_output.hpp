// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/image.hpp"
#include "freshet/model/registry.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::cli {

/// Records as `--json` prints them; absent values are null.
boost::json::object to_json(const model::ImageRecord& image);
boost::json::object to_json(const model::RegistryIntegration& registry);

/// `text` with invalid UTF-8 replaced, since JSON holds nothing else.
std::string valid_utf8(std::string_view text);

/// One document on standard output.
void print_json(const boost::json::object& document);

/// One with the member `key`, a list of what `to_document` makes of each item; returns the exit
/// code.
template <class Item, class ToDocument>
int print_json_list(std::string_view key, const std::vector<Item>& items, ToDocument to_document) {
  boost::json::array documents;
  for (const Item& item : items) {
    documents.push_back(to_document(item));
  }
  print_json({{key, std::move(documents)}});
  return 0;
}

}  // namespace freshet::cli
