// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/naming.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::registries {
namespace {

constexpr std::size_t k_max_name_length = 64;
constexpr std::size_t k_max_shown = 255;
constexpr std::string_view k_docker_hub = "docker.io";
constexpr std::string_view k_https = "https://";
constexpr std::string_view k_http = "http://";

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
  throw Error(ErrorCode::invalid_input, std::move(message)).with_hint(std::move(hint));
}

std::string shown(std::string_view text) {
  return printable(text, k_max_shown);
}

bool is_blank_or_control(char c) {
  return (c >= '\0' && c <= ' ') || c == '\x7F';
}

bool is_candidate(NameSource source) {
  return source == NameSource::explicit_candidate || source == NameSource::build_candidate;
}

std::string_view word_for(NameSource source) {
  return is_candidate(source) ? "candidate" : "image name";
}

bool is_same_registry(std::string_view a, std::string_view b) {
  return oci::canonical_domain(a) == oci::canonical_domain(b);
}

/// The name without tag and digest, which only an explicit candidate may have.
std::string_view without_version(std::string_view name, NameSource source) {
  const std::size_t slash = name.rfind('/');
  const std::size_t start = slash == std::string_view::npos ? 0 : slash + 1;
  const std::string_view plain = name.substr(0, name.find_first_of(":@", start));
  if (plain.size() != name.size() && source != NameSource::explicit_candidate) {
    refuse(
        fmt::format("{} '{}' contains a tag or digest", word_for(source), shown(name)),
        "write the tag in 'tag'");
  }
  return plain;
}

/// The repository path that `name` means on the registry, with the prefix where it applies.
std::string path_of(const PushTarget& target, std::string_view name, const std::string& prefix) {
  const auto host = oci::leading_domain(name);
  if (host && !oci::is_valid_domain(*host)) {
    refuse(fmt::format(
        "{} '{}' has the malformed registry host '{}'",
        word_for(target.source),
        shown(name),
        shown(*host)));
  }
  if (host && is_same_registry(*host, target.domain)) {
    return std::string(name.substr(host->size() + 1));
  }
  if (host && !is_candidate(target.source)) {
    refuse(
        fmt::format(
            "image name '{}' names the registry '{}', but it is pushed to '{}'",
            shown(name),
            *host,
            target.domain),
        fmt::format("leave out '{}/', or choose the registry integration of that host", *host));
  }
  if (host) {
    name.remove_prefix(host->size() + 1);
  }
  return prefix.empty() ? std::string(name) : prefix + "/" + std::string(name);
}

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the characters of one kind off the front of `text`; false when there is none.
bool take_run(std::string_view& text, bool (*is_member)(char)) {
  const auto end = std::ranges::find_if_not(text, is_member);
  const auto length = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(length);
  return length > 0;
}

bool take_char(std::string_view& text, char wanted) {
  const bool is_there = text.starts_with(wanted);
  text.remove_prefix(is_there ? 1 : 0);
  return is_there;
}

std::string strip_scheme(std::string_view text) {
  std::string_view rest = text;
  if (to_lower(text.substr(0, k_https.size())) == k_https) {
    rest.remove_prefix(k_https.size());
  }
  while (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  return std::string(rest);
}

}  // namespace

oci::Reference compose_push_reference(const PushTarget& target) {
  const std::string_view word = word_for(target.source);
  const std::string_view name = without_version(trim(target.name), target.source);
  if (name.empty()) {
    refuse(fmt::format("{} is empty", word));
  }
  oci::Reference reference;
  reference.domain = oci::canonical_domain(target.domain);
  reference.path = path_of(target, name, normalise_prefix(target.prefix));
  reference.tag = trim(target.tag);
  const bool has_upper =
      std::ranges::any_of(reference.path, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (has_upper) {
    refuse(
        fmt::format("{} '{}' has upper-case letters", word, shown(name)),
        fmt::format("registries only know lower case: write '{}'", to_lower(name)));
  }
  if (!oci::is_valid_repository_path(reference.path)) {
    refuse(
        fmt::format(
            "{} '{}' makes no valid repository: '{}'", word, shown(name), shown(reference.path)),
        "between '/' stand lower-case letters and digits, joined by '.', '_', '__' or '-'; at most "
        "255 characters in all");
  }
  if (!oci::is_valid_tag(reference.tag)) {
    refuse(
        reference.tag.empty() ? "the tag is empty"
                              : fmt::format("'{}' is not a valid tag", shown(reference.tag)),
        "a tag has up to 128 letters, digits, '_', '.' and '-', and starts with none of the last "
        "two");
  }
  if (reference.domain == k_docker_hub && reference.path.find('/') == std::string::npos) {
    reference.path = "library/" + reference.path;
  }
  return reference;
}

std::string normalise_prefix(std::string_view prefix) {
  std::string_view rest = trim(prefix);
  while (rest.starts_with('/')) {
    rest.remove_prefix(1);
  }
  while (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  if (!rest.empty() && !oci::is_valid_repository_path(rest)) {
    refuse(
        fmt::format("repository prefix '{}' is not a repository path", shown(rest)),
        "between '/' stand lower-case letters and digits, joined by '.', '_', '__' or '-'");
  }
  return std::string(rest);
}

void validate_integration_name(std::string_view name) {
  if (trim(name).empty()) {
    refuse("the name of the registry integration is empty");
  }
  if (name.size() > k_max_name_length) {
    refuse(fmt::format(
        "the name of the registry integration is {} characters, the limit is {}",
        name.size(),
        k_max_name_length));
  }
  if (std::ranges::any_of(name, is_blank_or_control)) {
    refuse(fmt::format("integration name '{}' contains a blank or control character", shown(name)));
  }
  if (name.find_first_of("/\\${}\"'`,") != std::string_view::npos) {
    refuse(
        fmt::format(
            "integration name '{}' contains a character that pipelines and paths give a meaning of "
            "its own",
            shown(name)),
        "use letters, digits, '-', '_' and '.'");
  }
  if (is_web_address(name)) {
    refuse(
        fmt::format("integration name '{}' looks like a registry host", shown(name)),
        "'registry:' in a pipeline takes such a value for the host itself: use a name without "
        "dots");
  }
}

std::string validate_domain(std::string_view domain) {
  const std::string host = strip_scheme(trim(domain));
  if (host.empty()) {
    refuse("the domain of the registry is empty");
  }
  const std::string shown_host = shown(host);
  if (host.find("://") != std::string::npos) {
    refuse(
        fmt::format("domain '{}' has a scheme", shown_host),
        "write the host alone, as in an image name; loopback registries may speak plain http");
  }
  if (host.find_first_of("/?#") != std::string::npos) {
    refuse(
        fmt::format("domain '{}' has more than a host and a port", shown_host),
        "a path belongs into the repository prefix");
  }
  if (!oci::is_valid_domain(host)) {
    refuse(fmt::format("domain '{}' is not a host with an optional port", shown_host));
  }
  std::string canonical = oci::canonical_domain(host);
  if (canonical == "hub.docker.com") {
    refuse(
        "'hub.docker.com' is a web site, not a registry", "Docker Hub's registry is 'docker.io'");
  }
  if (!oci::leading_domain(canonical + "/x")) {
    refuse(
        fmt::format(
            "domain '{}' would be taken for a Docker Hub name in an image reference", canonical),
        fmt::format("add the port: '{}:443'", canonical));
  }
  return canonical;
}

bool is_web_address(std::string_view text) {
  const std::string start = to_lower(text.substr(0, k_https.size()));
  if (start == k_https) {
    text.remove_prefix(k_https.size());
  } else if (start.starts_with(k_http)) {
    text.remove_prefix(k_http.size());
  }
  std::size_t labels = 0;
  do {
    if (!take_run(text, &is_word_char)) {
      return false;
    }
    ++labels;
  } while (take_char(text, '.'));
  if (take_char(text, ':') && !take_run(text, &is_digit)) {
    return false;
  }
  const bool is_tail = text.empty() || text.find_first_of("/?#") == 0;
  return labels >= 2 && is_tail && std::ranges::none_of(text, is_blank_or_control);
}

std::string host_of_web_address(std::string_view text) {
  std::string host = to_lower(text);
  for (const std::string_view scheme : {k_https, k_http}) {
    if (host.starts_with(scheme)) {
      host.erase(0, scheme.size());
      break;
    }
  }
  return host.substr(0, host.find_first_of("/?#"));
}

}  // namespace freshet::registries
