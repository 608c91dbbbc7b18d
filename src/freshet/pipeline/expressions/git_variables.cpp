// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/expressions/git_variables.hpp"

#include "freshet/base/text.hpp"

namespace freshet::pipeline {
namespace {

constexpr std::size_t k_max_tag_length = 128;  // of a Docker tag
constexpr std::size_t k_short_revision_length = 7;
constexpr std::string_view k_special = "\\\"'$`&|;<>(){}[]*?!#~%";

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// Keeps letters, digits and `kept`; every other code point becomes one `replacement`.
std::string normalise(std::string_view branch, std::string_view kept, char replacement) {
  std::string out;
  for (const char c : branch) {
    if (is_alphanumeric(c) || kept.find(c) != std::string_view::npos) {
      out += c;
    } else if (!is_continuation(c)) {
      out += replacement;
    }
  }
  if (out.starts_with('.') || out.starts_with('-')) {
    out[0] = replacement;
  }
  return out.substr(0, k_max_tag_length);
}

void add(std::vector<NamedValue>& out, std::string_view name, const std::string& value) {
  if (!value.empty()) {
    out.emplace_back(name, value);
  }
}

}  // namespace

std::string normalise_branch_tag(std::string_view branch) {
  return normalise(branch, "_.-", '_');
}

std::string normalise_branch_version(std::string_view branch) {
  return normalise(branch, ".-", '-');
}

std::string escape_quotes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '"') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string escape_special(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (k_special.find(c) != std::string_view::npos) {
          out += '\\';
        }
        out += c;
    }
  }
  return out;
}

std::vector<NamedValue> git_variables(const model::GitFacts& git) {
  std::vector<NamedValue> out;
  add(out, "CF_REPO_OWNER", git.repo_owner);
  add(out, "CF_REPO_NAME", git.repo_name);
  add(out, "CF_BRANCH", git.branch);
  const std::string tag = normalise_branch_tag(git.branch);
  add(out, "CF_BRANCH_TAG_NORMALIZED", tag);
  add(out, "CF_BRANCH_TAG_NORMALIZED_LOWER_CASE", to_lower(tag));
  add(out, "CF_BRANCH_VERSION_NORMALIZED", normalise_branch_version(git.branch));
  add(out, "CF_REVISION", git.revision);
  add(out, "CF_SHORT_REVISION", git.revision.substr(0, k_short_revision_length));
  add(out, "CF_COMMIT_AUTHOR", git.commit_author);
  add(out, "CF_COMMIT_URL", git.commit_url);
  add(out, "CF_COMMIT_MESSAGE", escape_quotes(git.commit_message));
  add(out, "CF_COMMIT_MESSAGE_ESCAPED", escape_special(git.commit_message));
  return out;
}

}  // namespace freshet::pipeline
