// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/context_store.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/docker/json_access.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <openssl/sha.h>

#include <vector>

namespace freshet::engine {
namespace {

constexpr std::size_t k_max_file_bytes = 4 * 1024 * 1024;

std::string sha256_hex(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(
      reinterpret_cast<const unsigned char*>(text.data()),
      text.size(),
      reinterpret_cast<unsigned char*>(digest.data()));
  return to_hex(digest);
}

/// nullopt when there is no such file.
std::optional<std::string> find_file(const fs::path& path) {
  try {
    return load_file(path, k_max_file_bytes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) {
      throw;
    }
    return std::nullopt;
  }
}

json::object parse_file(const fs::path& path, std::string_view text) {
  json::error_code code;
  const json::value value = json::parse(text, code);
  if (code || !value.is_object()) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "'{}' is not a JSON object{}",
            path.string(),
            code ? ": " + code.message() : std::string()));
  }
  return value.get_object();
}

std::vector<std::string> names_in(const fs::path& meta_directory) {
  std::vector<std::string> names{"default"};
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(meta_directory, code)) {
    const fs::path path = entry.path() / "meta.json";
    const std::optional<std::string> text = find_file(path);
    if (text) {
      names.push_back(text_at(parse_file(path, *text), "Name"));
    }
  }
  return names;
}

}  // namespace

fs::path existing_file(const fs::path& directory, std::string_view file) {
  std::error_code code;
  fs::path path = directory / file;
  return fs::exists(path, code) ? path : fs::path();
}

std::optional<std::string> ContextStore::find_current() const {
  const fs::path path = directory_ / "config.json";
  const std::optional<std::string> text = find_file(path);
  if (!text) {
    return std::nullopt;
  }
  std::string name = text_at(parse_file(path, *text), "currentContext");
  return name.empty() ? std::nullopt : std::optional(std::move(name));
}

StoredContext ContextStore::get(const std::string& name) const {
  const std::string id = sha256_hex(name);
  const fs::path meta = directory_ / "contexts" / "meta";
  const fs::path path = meta / id / "meta.json";
  const std::optional<std::string> text = find_file(path);
  if (!text) {
    const std::optional<std::string> known = nearest(name, names_in(meta));
    throw Error(
        ErrorCode::invalid_input, fmt::format("the docker command has no context '{}'", name))
        .with_hint(
            known ? fmt::format("did you mean '{}'? 'docker context ls' lists them all", *known)
                  : "'docker context ls' lists those that there are");
  }
  const json::object entry = parse_file(path, *text);
  const json::object& docker = object_at(object_at(entry, "Endpoints"), "docker");
  StoredContext context;
  context.host = text_at(docker, "Host");
  context.skip_verify = flag_at(docker, "SkipTLSVerify");
  const fs::path tls = directory_ / "contexts" / "tls" / id / "docker";
  context.ca_file = existing_file(tls, "ca.pem");
  context.certificate_file = existing_file(tls, "cert.pem");
  context.key_file = existing_file(tls, "key.pem");
  if (context.host.empty()) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("the docker context '{}' names no Docker engine", name));
  }
  return context;
}

}  // namespace freshet::engine
