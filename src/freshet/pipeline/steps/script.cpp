// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/script.hpp"

#include <utility>

namespace freshet::pipeline {
namespace {

/// A program, not a shell function, so that scripts which the commands call have it too. Values end
/// at their first line break: the exchange file holds one variable a line.
constexpr std::string_view k_cf_export = R"sh(#!/bin/sh
volume=${CF_VOLUME_PATH:-/codefresh/volume}
mask=
for word in "$@"; do
  if [ "$word" = --mask ]; then mask=1; fi
done
newline='
'
for word in "$@"; do
  case $word in
    --mask) continue ;;
    *=*) name=${word%%=*} value=${word#*=} ;;
    *) name=$word value= ;;
  esac
  case $name in
    '' | [0-9]* | *[!A-Za-z0-9_]*)
      echo "cf_export: '$name' is not a variable name" >&2
      exit 1 ;;
  esac
  if [ "$word" = "$name" ]; then eval "value=\${$name-}"; fi
  printf '%s=%s\n' "$name" "${value%%"$newline"*}" >> "$volume/env_vars_to_export" || exit 1
  if [ -n "$mask" ]; then printf '%s\n' "$name" >> "$volume/env_vars_to_mask" || exit 1; fi
done
)sh";

std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

void write_readable(const fs::path& path, std::string_view content, fs::perms extra) {
  replace_private_file(path, content);
  // The container's user need not be ours.
  fs::permissions(
      path, fs::perms::group_read | fs::perms::others_read | extra, fs::perm_options::add);
}

}  // namespace

std::string make_script(const std::vector<std::string>& commands) {
  std::string script = "export PATH=\"$PATH:/codefresh/step\"\nset -e\n";
  for (const std::string& command : commands) {
    script += "printf '%s\\n' " + single_quoted("Executing command: " + command) + "\n";
    script += command + "\n";
  }
  return script;
}

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool has_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool is_escape = c == '\\' && quote != '\'' && i + 1 < line.size();
    if (is_escape) {
      word += line[++i];
      has_word = true;
    } else if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      has_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (has_word) {
        words.push_back(std::exchange(word, {}));
      }
      has_word = false;
    } else {
      word += c;
      has_word = true;
    }
  }
  if (has_word) {
    words.push_back(word);
  }
  return words;
}

void write_step_files(const fs::path& folder, const std::vector<std::string>& commands) {
  constexpr auto k_executable =
      fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
  write_readable(folder / k_script_name, make_script(commands), fs::perms::none);
  write_readable(folder / "cf_export", k_cf_export, k_executable);
}

}  // namespace freshet::pipeline
