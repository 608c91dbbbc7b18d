// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_layers.hpp"

#include "freshet/base/error.hpp"
#include "freshet/engine/docker/json_access.hpp"
#include "freshet/oci/copy/parallel.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace freshet::engine {
namespace {

constexpr std::size_t k_visits_at_once = 2;

}  // namespace

std::vector<oci::Digest> chain_ids(const std::vector<oci::Digest>& diff_ids) {
  std::vector<oci::Digest> chain;
  for (const oci::Digest& diff_id : diff_ids) {
    chain.push_back(
        chain.empty() ? diff_id
                      : oci::Digest::of(chain.back().to_string() + " " + diff_id.to_string()));
  }
  return chain;
}

std::map<oci::Digest, std::size_t> first_of_equal(
    const std::vector<oci::Digest>& diff_ids, const std::set<std::size_t>& wanted) {
  std::map<oci::Digest, std::size_t> first;
  for (const std::size_t index : wanted) {
    FRESHET_ASSERT(index < diff_ids.size());
    first.emplace(diff_ids[index], index);
  }
  return first;
}

Awaitable<void> visit_stored(std::map<oci::Digest, std::size_t> layers, VisitOne visit) {
  std::vector<std::size_t> indexes;
  for (const auto& [digest, index] : layers) {
    indexes.push_back(index);
  }
  std::ranges::sort(indexes);
  const auto visit_at = [&](std::size_t place) { return visit(indexes[place]); };
  co_await oci::for_each_at_once(indexes.size(), k_visits_at_once, visit_at);
}

bool is_config_of(std::string_view config, const std::vector<oci::Digest>& diff_ids) {
  json::error_code code;
  const json::value value = json::parse(config, code);
  if (code) {
    return false;
  }
  const std::vector<std::string> found =
      texts_at(object_at(as_object(value), "rootfs"), "diff_ids");
  return std::equal(
             found.begin(),
             found.end(),
             diff_ids.begin(),
             diff_ids.end(),
             [](const std::string& text, const oci::Digest& digest) {
               return text == digest.to_string();
             }) &&
         as_object(value).contains("rootfs");
}

}  // namespace freshet::engine
