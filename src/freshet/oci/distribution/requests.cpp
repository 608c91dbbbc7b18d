// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/requests.hpp"

#include "freshet/base/text.hpp"
#include "freshet/oci/reference.hpp"

#include <fmt/format.h>

namespace freshet::oci {

std::string pull_scope(std::string_view repository) {
  return fmt::format("repository:{}:pull", repository);
}

std::string push_scope(std::string_view repository) {
  return fmt::format("repository:{}:pull,push", repository);
}

void require_repository(std::string_view repository) {
  if (!is_valid_repository_path(repository)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is not a repository", printable(repository, 255)));
  }
}

void require_names(std::string_view repository, std::string_view reference) {
  require_repository(repository);
  if (!is_valid_tag(reference) && !Digest::parse(reference)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is neither a tag nor a digest", printable(reference, 255)));
  }
}

std::string named(std::string_view repository, std::string_view reference) {
  return fmt::format("{}{}{}", repository, Digest::parse(reference) ? "@" : ":", reference);
}

std::string media_type_of(const net::HttpResponse& response) {
  const std::string type = response.headers.find("Content-Type").value_or("");
  return to_lower(trim(split(type, ';').front()));
}

std::optional<Digest> claimed_digest(
    std::string_view domain, const net::HttpResponse& response, std::string_view reference) {
  const auto text = response.headers.find("Docker-Content-Digest");
  if (!text) {
    return std::nullopt;
  }
  auto digest = Digest::parse(*text);
  if (!digest) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("'{}' answered with the malformed digest '{}'", domain, printable(*text, 100)));
  }
  if (Digest::parse(reference) && digest->to_string() != reference) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "'{}' was asked for '{}' and gave '{}'", domain, reference, digest->to_string()));
  }
  return digest;
}

}  // namespace freshet::oci
