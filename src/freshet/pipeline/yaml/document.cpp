// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/document.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/yaml/syntax.hpp"
#include "freshet/pipeline/yaml/tree_builder.hpp"

#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>

namespace freshet::pipeline {
namespace {

constexpr int k_max_attempts = 100;  // each mends one line, see blank_out_tabs
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

void report(const SyntaxFinding& finding, Findings& findings) {
  findings.error(finding.at, finding.message, finding.hint);
}

/// Reads on after the first document too, so that a second one is noticed.
void read_all(const std::string& text, TreeBuilder& builder) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(builder)) {
  }
}

/// The parser stumbles over tabs in lines that are otherwise blank, although they mean nothing.
/// Replaces the tabs of such a line; false when the failure has another cause.
bool blank_out_tabs(const YAML::Exception& failure, std::string& text) {
  if (failure.msg != YAML::ErrorMsg::TAB_IN_INDENTATION || failure.mark.is_null()) {
    return false;
  }
  const std::size_t pos = std::min(text.size(), static_cast<std::size_t>(failure.mark.pos));
  const std::size_t start = pos == 0 ? 0 : text.rfind('\n', pos - 1) + 1;  // npos + 1 is 0
  const std::size_t end = std::min(text.find('\n', start), text.size());
  const std::string_view line = std::string_view(text).substr(start, end - start);
  if (!trim(line).empty() || line.find('\t') == std::string_view::npos) {
    return false;
  }
  std::replace(text.begin() + start, text.begin() + end, '\t', ' ');
  return true;
}

/// Builds the tree and tells all findings; those made before a failure count too.
std::optional<YamlNode> build_tree(std::string text, Findings& findings) {
  for (int attempt = 1;; ++attempt) {
    TreeBuilder builder(text);
    std::optional<SyntaxFinding> failure;
    try {
      read_all(text, builder);
    } catch (const TreeRefused& refused) {
      failure = refused.finding;
    } catch (const YAML::Exception& exception) {
      if (attempt < k_max_attempts && blank_out_tabs(exception, text)) {
        continue;
      }
      const YamlPlace at = exception.mark.is_null() ? YamlPlace{} : place_of(exception.mark);
      failure = explain_syntax_error(exception.msg, at, text);
    }
    for (const SyntaxFinding& finding : builder.findings()) {
      report(finding, findings);
    }
    if (!failure) {
      return builder.take_root();
    }
    report(*failure, findings);
    return std::nullopt;
  }
}

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const {
  const auto found = std::find_if(
      entries.begin(), entries.end(), [&](const YamlEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

std::optional<YamlNode> parse_document(std::string_view text, Findings& findings) {
  if (text.size() > k_max_document_bytes) {
    findings.error(
        YamlPlace{},
        fmt::format("the file has {} bytes, the limit is {}", text.size(), k_max_document_bytes));
    return std::nullopt;
  }
  if (text.starts_with(k_byte_order_mark)) {
    text.remove_prefix(k_byte_order_mark.size());
  }
  if (const auto unreadable = find_unreadable(text)) {
    report(*unreadable, findings);
    return std::nullopt;
  }
  std::string whole(text);
  if (!whole.ends_with('\n')) {
    whole += '\n';  // so that a block text at the end of the file ends like any other
  }
  return build_tree(std::move(whole), findings);
}

}  // namespace freshet::pipeline
