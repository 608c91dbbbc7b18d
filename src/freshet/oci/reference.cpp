// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/reference.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace freshet::oci {
namespace {

constexpr std::string_view k_docker_hub = "docker.io";
constexpr std::size_t k_max_path_length = 255;
constexpr std::size_t k_max_tag_length = 128;
constexpr std::size_t k_image_id_length = 64;
constexpr int k_max_port = 65535;

bool is_lower_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_alphanumeric(char c) {
  return is_lower_alphanumeric(c) || is_upper(c);
}

bool is_valid_label(std::string_view label) {
  return !label.empty() && is_alphanumeric(label.front()) && is_alphanumeric(label.back()) &&
         std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_valid_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 3 && host.ends_with(']') &&
           host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:") ==
               std::string_view::npos;
  }
  return std::ranges::all_of(split(host, '.'), is_valid_label);
}

bool is_valid_port(std::string_view port) {
  int value = 0;
  const char* end = port.data() + port.size();
  const auto [stop, failure] = std::from_chars(port.data(), end, value);
  return failure == std::errc() && stop == end && value > 0 && value <= k_max_port;
}

/// Runs of letters and digits with one separator between two of them: `.`, `_`, `__` or dashes.
bool is_valid_component(std::string_view component) {
  if (component.empty() || !is_lower_alphanumeric(component.front()) ||
      !is_lower_alphanumeric(component.back())) {
    return false;
  }
  for (std::size_t i = 0; i < component.size();) {
    const std::size_t start = i;
    while (!is_lower_alphanumeric(component[i])) {
      ++i;
    }
    const std::string_view separator = component.substr(start, i - start);
    const bool is_known = separator.empty() || separator == "." || separator == "_" ||
                          separator == "__" ||
                          separator.find_first_not_of('-') == std::string_view::npos;
    if (!is_known) {
      return false;
    }
    ++i;
  }
  return true;
}

[[noreturn]] void refuse(std::string_view text, std::string problem, std::string hint = {}) {
  throw Error(
      ErrorCode::invalid_input,
      fmt::format("image reference '{}' {}", printable(text, k_max_path_length), problem))
      .with_hint(std::move(hint));
}

void require_valid_path(std::string_view text, std::string_view path) {
  if (path.empty()) {
    refuse(text, "has no repository name");
  }
  if (std::ranges::any_of(path, is_upper)) {
    refuse(
        text,
        fmt::format("has upper-case letters in its repository '{}'", path),
        fmt::format("registries only know lower case: write '{}'", to_lower(path)));
  }
  if (path.size() > k_max_path_length) {
    refuse(
        text,
        fmt::format(
            "has a repository of {} characters, the limit is {}", path.size(), k_max_path_length));
  }
  if (!is_valid_repository_path(path)) {
    refuse(
        text,
        fmt::format("has the malformed repository '{}'", path),
        "between '/' stand lower-case letters and digits, joined by '.', '_', '__' or '-'");
  }
}

void require_valid_tag(std::string_view text, std::string_view tag) {
  if (tag.empty()) {
    refuse(text, "has an empty tag");
  }
  if (tag.size() > k_max_tag_length) {
    refuse(
        text,
        fmt::format("has a tag of {} characters, the limit is {}", tag.size(), k_max_tag_length));
  }
  if (!is_valid_tag(tag)) {
    refuse(
        text,
        fmt::format("has the malformed tag '{}'", tag),
        "a tag has letters, digits, '_', '.' and '-', and starts with none of the last two");
  }
}

bool is_image_id(std::string_view text) {
  return text.size() == k_image_id_length &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Takes `@digest` off the end of `rest`.
std::optional<Digest> take_digest(std::string_view text, std::string_view& rest) {
  const std::size_t at = rest.find('@');
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  auto digest = Digest::parse(rest.substr(at + 1));
  if (!digest) {
    refuse(
        text,
        fmt::format("has the malformed digest '{}'", rest.substr(at + 1)),
        "a digest is 'sha256:' and 64 lower-case hexadecimal digits");
  }
  rest = rest.substr(0, at);
  return digest;
}

/// Takes `domain/` off the start of `rest`; Docker Hub when there is none.
std::string take_domain(std::string_view text, std::string_view& rest) {
  const auto domain = leading_domain(rest);
  if (!domain) {
    return std::string(k_docker_hub);
  }
  if (!is_valid_domain(*domain)) {
    refuse(text, fmt::format("has the malformed registry host '{}'", *domain));
  }
  rest.remove_prefix(domain->size() + 1);
  return canonical_domain(*domain);
}

}  // namespace

Reference Reference::parse(std::string_view text) {
  if (text.empty()) {
    throw Error(ErrorCode::invalid_input, "image reference is empty");
  }
  if (std::ranges::any_of(text, [](char c) { return c > '\0' && c <= ' '; })) {
    refuse(text, "contains a blank");
  }
  if (is_image_id(text)) {
    refuse(text, "is an image id, not a name");
  }
  Reference reference;
  std::string_view rest = text;
  reference.digest = take_digest(text, rest);
  reference.domain = take_domain(text, rest);
  const std::size_t colon = rest.find(':');
  if (colon != std::string_view::npos) {
    require_valid_tag(text, rest.substr(colon + 1));
    reference.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  require_valid_path(text, rest);
  reference.path = rest;
  if (reference.domain == k_docker_hub && rest.find('/') == std::string_view::npos) {
    reference.path = "library/" + reference.path;
  }
  return reference;
}

std::string Reference::tag_or_latest() const {
  return tag.empty() && !digest ? "latest" : tag;
}

std::string Reference::to_string() const {
  std::string text = name();
  if (!tag.empty()) {
    text += ":" + tag;
  }
  if (digest) {
    text += "@" + digest->to_string();
  }
  return text;
}

std::optional<std::string> leading_domain(std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view first = name.substr(0, slash);
  if (first.find_first_of(".:") == std::string_view::npos && first != "localhost") {
    return std::nullopt;
  }
  return std::string(first);
}

std::string canonical_domain(std::string_view domain) {
  std::string lower = to_lower(domain);
  if (lower == "index.docker.io" || lower == "registry-1.docker.io") {
    return std::string(k_docker_hub);
  }
  return lower;
}

bool is_valid_domain(std::string_view domain) {
  const std::size_t bracket = domain.rfind(']');
  const std::size_t colon = domain.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos) {
    return is_valid_host(domain);
  }
  return is_valid_host(domain.substr(0, colon)) && is_valid_port(domain.substr(colon + 1));
}

bool is_valid_repository_path(std::string_view path) {
  return path.size() <= k_max_path_length &&
         std::ranges::all_of(split(path, '/'), is_valid_component);
}

bool is_valid_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= k_max_tag_length && tag.front() != '.' &&
         tag.front() != '-' && std::ranges::all_of(tag, [](char c) {
           return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
         });
}

}  // namespace freshet::oci
