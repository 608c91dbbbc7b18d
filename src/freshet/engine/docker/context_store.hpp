// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <optional>
#include <string>

namespace freshet::engine {

/// What the docker command has stored about one of its contexts.
struct StoredContext {
  std::string host;  // as in DOCKER_HOST
  bool skip_verify = false;
  fs::path ca_file;  // these three are empty when there is no such file
  fs::path certificate_file;
  fs::path key_file;

  /// The docker command speaks TLS for a context exactly when it says something about TLS.
  bool uses_tls() const { return skip_verify || !ca_file.empty() || !certificate_file.empty(); }
};

/// The docker command's directory of settings: `config.json` and the context store.
/// Source: docker/cli, `cli/context/store`: `contexts/meta/<sha256 of the name>/meta.json` and
/// `contexts/tls/<sha256 of the name>/docker/{ca,cert,key}.pem`.
class ContextStore {
 public:
  explicit ContextStore(fs::path directory) : directory_(std::move(directory)) {}

  /// `currentContext` of `config.json`; nullopt when there is none.
  /// Throws: invalid_input (not JSON), forbidden.
  std::optional<std::string> find_current() const;
  /// Throws: invalid_input (unknown context, with the nearest known one; malformed entry).
  StoredContext get(const std::string& name) const;

 private:
  fs::path directory_;
};

/// `<directory>/<file>`, or an empty path when there is no such file.
fs::path existing_file(const fs::path& directory, std::string_view file);

}  // namespace freshet::engine
