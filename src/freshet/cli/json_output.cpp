// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/json_output.hpp"

#include "freshet/base/text.hpp"
#include "freshet/registries/providers/catalogue.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace freshet::cli {
namespace json = boost::json;
namespace {

json::value or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object to_json(const model::GitFacts& git) {
  return {
      {"repo_owner", or_null(git.repo_owner)},
      {"repo_name", or_null(git.repo_name)},
      {"branch", or_null(git.branch)},
      {"revision", or_null(git.revision)},
      {"commit_author", or_null(git.commit_author)},
      {"commit_message", or_null(git.commit_message)},
  };
}

}  // namespace

json::object to_json(const model::ImageRecord& image) {
  json::array tags;
  for (const model::ImageTag& tag : image.tags) {
    tags.push_back(
        {{"reference", tag.reference()},
         {"registry", tag.registry},
         {"repository", tag.repository},
         {"tag", tag.tag},
         {"integration", or_null(tag.integration)}});
  }
  json::array layers;
  for (const model::ImageLayer& layer : image.layers) {
    layers.push_back(
        {{"instruction", valid_utf8(layer.instruction)},
         {"size_bytes", layer.size_bytes},
         {"diff_id", or_null(layer.digest)}});
  }
  return {
      {"id", image.id},
      {"internal_image_id", image.internal_image_id},
      {"image_name", image.image_name},
      {"repo_digest", or_null(image.repo_digest)},
      {"created_at", to_rfc3339(image.created_at)},
      {"size_bytes", image.size_bytes},
      {"os", image.os},
      {"architecture", image.architecture},
      {"hash", or_null(image.hash)},
      {"dockerfile",
       image.dockerfile.empty() ? json::value(nullptr) : json::value(valid_utf8(image.dockerfile))},
      {"layers", std::move(layers)},
      {"tags", std::move(tags)},
      {"git", to_json(image.git)},
      {"build", or_null(image.build_id)},
      {"pipeline", or_null(image.pipeline)},
      {"step", or_null(image.step)},
      {"build_duration_ms", image.build_duration_ms},
      {"push_duration_ms", image.push_duration_ms},
  };
}

json::object to_json(const model::RegistryIntegration& registry) {
  const model::RegistryConnection& connection = registry.connection;
  const registries::ProviderChoice& choice = registries::choice_of(registry);
  return {
      {"id", registry.id},
      {"name", registry.name},
      {"provider", model::to_string(registry.provider)},
      {"choice", choice.name},
      {"kind", choice.kind},
      {"domain", registry.domain},
      {"region", or_null(registry.region)},
      {"username", or_null(registry.username)},
      {"role_arn", or_null(registry.role_arn)},
      {"ambient_role", registry.uses_ambient_role},
      {"creates_repositories", registry.creates_repositories},
      {"scan_on_push", registry.repository_template.scans_on_push},
      {"immutable_tags", registry.repository_template.has_immutable_tags},
      {"lifecycle_policy", or_null(registry.repository_template.lifecycle_policy)},
      {"repository_prefix", or_null(registry.repository_prefix)},
      {"fallback", or_null(registry.fallback_id)},
      {"default", registry.is_default},
      {"caching", registry.is_caching},
      {"primary", registry.is_primary},
      {"behind_firewall", registry.is_behind_firewall},
      {"plain_http", connection.is_plain_http},
      {"skip_tls_verify", connection.is_verification_off},
      {"ca_certificates", or_null(connection.ca_certificates)},
      {"client_certificate", or_null(connection.client_certificate)},
      {"proxy", or_null(connection.proxy)},
      {"proxy_username", or_null(connection.proxy_username)},
      {"mirror", or_null(connection.mirror)},
      {"token_server", or_null(connection.token_server)},
      {"created_at", to_rfc3339(registry.created_at)},
  };
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  std::size_t start = 0;
  // `printable` replaces what is not UTF-8; line breaks and tabs stay.
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '\n' || text[i] == '\t' || text[i] == ' ') {
      out += printable(text.substr(start, i - start), text.size() * 3 + 4);
      if (i < text.size()) {
        out += text[i];
      }
      start = i + 1;
    }
  }
  return out;
}

void print_json(const json::object& document) {
  const std::string text = json::serialize(document) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace freshet::cli
