// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/image_key.hpp"

#include "freshet/cache/canonical.hpp"
#include "freshet/oci/digest.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::cache {
namespace {

/// A new number where the list below changes: keys of before are no keys then.
constexpr std::string_view k_format = "freshet image key 1";
constexpr std::size_t k_key_length = 40;

void add_ids(CanonicalList& list, std::vector<std::string> ids) {
  std::ranges::sort(ids);
  list.add(std::to_string(ids.size()));
  for (const std::string& id : ids) {
    list.add(id);
  }
}

void add_map(CanonicalList& list, const std::map<std::string, std::string>& values) {
  list.add(std::to_string(values.size()));
  for (const auto& [name, value] : values) {
    list.add(name);
    list.add(value);
  }
}

}  // namespace

std::string make_image_key(const ImageInputs& inputs) {
  std::map<std::string, std::string> arguments;
  for (const auto& [name, value] : inputs.build_arguments) {
    arguments[name] = value;
  }
  CanonicalList list;
  list.add(k_format);
  list.add(inputs.dockerfile);
  list.add(inputs.context);
  add_map(list, arguments);
  list.add(inputs.target);
  list.add(inputs.platform);
  list.add(inputs.engine);
  add_map(list, inputs.images);
  list.add(inputs.squashes ? "squashed" : "");
  add_ids(list, inputs.secret_ids);
  add_ids(list, inputs.ssh_ids);
  return std::string(oci::Digest::of(list.bytes()).hex().substr(0, k_key_length));
}

}  // namespace freshet::cache
