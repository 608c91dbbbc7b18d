// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/registries/providers/form.hpp"
#include "freshet/registries/providers/problems.hpp"
#include "freshet/registries/tls_material.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace freshet::registries {
namespace {

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
  throw Error(ErrorCode::invalid_input, std::move(message)).with_hint(std::move(hint));
}

bool is_json_object(std::string_view text) {
  boost::system::error_code failure;
  const boost::json::value value = boost::json::parse(text, failure);
  return !failure && value.is_object();
}

/// The JSON text of a key file, which some tools hand out in base64.
Secret plain_key_file(const Secret& secret) {
  const std::string_view text = trim(secret.reveal());
  if (is_json_object(text)) {
    return Secret(std::string(text));
  }
  const auto decoded = from_base64(text);
  if (decoded && is_json_object(*decoded)) {
    return Secret(*decoded);
  }
  refuse(
      "the key file is not a JSON object",
      "give the file that the Google console let you download, as it is");
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= '\0' && c < ' ') || c == '\x7F'; });
}

}  // namespace

bool needs_password(const model::RegistryIntegration& record) {
  return !record.uses_ambient_role;
}

Secret checked_password(const model::RegistryIntegration& record, const Secret& password) {
  const ProviderChoice& choice = choice_of(record);
  if (!needs_password(record)) {
    if (!password.is_empty()) {
      refuse(fmt::format("the ambient role takes no {}", choice.secret));
    }
    return password;
  }
  if (password.is_empty()) {
    refuse(fmt::format("the {} for the registry is empty", choice.secret));
  }
  if (choice.secret_rule == SecretRule::key_file) {
    return plain_key_file(password);
  }
  if (has_control(password.reveal())) {
    refuse(
        fmt::format(
            "the {} for the registry contains a line break or control character", choice.secret),
        "was it read from a file that ends in a line break?");
  }
  return password;
}

model::RegistrySecrets checked_secrets(
    const model::RegistryIntegration& record, model::RegistrySecrets secrets) {
  Problems problems;
  secrets.password = problems.attempt(
      [&] { return checked_password(record, secrets.password); }, secrets.password);
  const std::string& certificate = record.connection.client_certificate;
  if (!certificate.empty() && secrets.client_key.is_empty()) {
    problems.add("the client certificate has no key", "give its file with --client-key");
  } else if (certificate.empty() && !secrets.client_key.is_empty()) {
    problems.add("the client key has no certificate", "give its file with --client-cert");
  } else if (!certificate.empty()) {
    problems.attempt([&] { return require_key_fits(certificate, secrets.client_key), 0; }, 0);
  }
  if (record.connection.proxy_username.empty() && !secrets.proxy_password.is_empty()) {
    problems.add("there is a password for the proxy but no user", "name it with --proxy-username");
  }
  problems.throw_if_any();
  return secrets;
}

}  // namespace freshet::registries
