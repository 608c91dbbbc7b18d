// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/expand.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/characters.hpp"
#include "freshet/dockerfile/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace freshet::dockerfile {
namespace {

constexpr int k_max_depth = 32;  // of a variable in a variable's default
constexpr std::size_t k_max_shown = 80;

Error bad(std::string message) {
  return Error(ErrorCode::invalid_input, std::move(message));
}

/// Text and words, which grow together.
class Output {
 public:
  explicit Output(Budget& budget) : budget_(budget) {}

  /// What quotes or an escape protect, or what is no space.
  void add_plain(std::string_view text) {
    budget_.spend(text.size() + 1);
    text_ += text;
    word_ += text;
  }

  /// What is cut at spaces.
  void add_cut(std::string_view text) {
    budget_.spend(text.size() + 1);
    text_ += text;
    while (!text.empty()) {
      const Character next = first_character(text);
      if (is_space(next.value)) {
        end_word();
      } else {
        word_ += text.substr(0, next.size);
      }
      text.remove_prefix(next.size);
    }
  }

  void end_word() {
    if (!word_.empty()) {
      words_.push_back(std::move(word_));
      word_.clear();
    }
  }

  std::string take_text() { return std::move(text_); }
  std::vector<std::string> take_words() {
    end_word();
    return std::move(words_);
  }

 private:
  Budget& budget_;
  std::string text_;
  std::string word_;
  std::vector<std::string> words_;
};

class Expander {
 public:
  Expander(
      std::string_view source, const FindVariable& find, const ExpandRules& rules, Budget& budget)
      : source_(source), rest_(source), find_(find), rules_(rules), budget_(budget) {}

  Expansion run() {
    Output output(budget_);
    read_until('\0', rules_.keeps_escapes, output);
    result_.text = output.take_text();
    result_.words = output.take_words();
    return std::move(result_);
  }

 private:
  bool at_end() const { return rest_.empty(); }
  bool is_next(char c) const { return !rest_.empty() && rest_.front() == c; }

  std::string_view take() {
    const std::size_t size = first_character(rest_).size;
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  /// The text up to `stop`, which is taken too, or to the end when there is none.
  void read_until(char stop, bool keeps_escapes, Output& output) {
    if (++depth_ > k_max_depth) {
      throw bad(fmt::format("'{}' nests more than {} levels deep", shown(), k_max_depth));
    }
    const bool kept_escapes = std::exchange(keeps_escapes_, keeps_escapes);
    while (!at_end() && !(stop != '\0' && is_next(stop))) {
      read_part(output);
    }
    if (stop != '\0' && at_end()) {
      throw unclosed(stop);
    }
    rest_.remove_prefix(stop == '\0' ? 0 : 1);
    keeps_escapes_ = kept_escapes;
    --depth_;
  }

  void read_part(Output& output) {
    const char next = rest_.front();
    if (next == '$') {
      output.add_cut(read_variable());
    } else if (next == '<') {
      output.add_plain(read_heredoc_sign());
    } else if (rules_.has_quotes && (next == '\'' || next == '"')) {
      output.add_plain(next == '"' ? read_double_quotes() : read_single_quotes());
    } else if (next == rules_.escape) {
      const std::string_view escape = take();
      if (keeps_escapes_) {
        output.add_plain(escape);
      }
      output.add_plain(take());
    } else {
      output.add_cut(take());
    }
  }

  /// `<<` holds the blanks behind it, so that `<< EOF` is one word.
  std::string_view read_heredoc_sign() {
    const std::string_view all = rest_;
    take();
    if (is_next('<')) {
      const std::size_t end = std::min(rest_.find_first_not_of(" \t\r", 1), rest_.size());
      rest_.remove_prefix(end);
    }
    return all.substr(0, all.size() - rest_.size());
  }

  std::string_view read_single_quotes() {
    const std::size_t end = rest_.find('\'', 1);
    if (end == std::string_view::npos) {
      throw bad(fmt::format("a single quote in '{}' is never closed", shown()));
    }
    const std::string_view all = rest_.substr(0, end + 1);
    rest_.remove_prefix(all.size());
    return rules_.keeps_quotes ? all : all.substr(1, all.size() - 2);
  }

  std::string read_double_quotes() {
    std::string out;
    take();
    while (!is_next('"')) {
      if (at_end()) {
        throw bad(fmt::format("a double quote in '{}' is never closed", shown()));
      }
      if (is_next('$')) {
        out += read_variable();
      } else if (is_next(rules_.escape)) {
        read_escape_in_quotes(out);
      } else {
        out += take();
      }
    }
    take();
    return rules_.keeps_quotes ? fmt::format("\"{}\"", out) : out;
  }

  /// Within quotes an escape counts before few characters and is text before others.
  void read_escape_in_quotes(std::string& out) {
    const std::string_view escape = take();
    const bool is_escape = is_next('"') || is_next('$') || is_next(rules_.escape);
    if (keeps_escapes_) {
      out += escape;
    }
    if (is_escape) {
      out += take();
    } else if (!at_end()) {
      out += escape;
    }
  }

  std::string read_variable() {
    take();
    if (!is_next('{')) {
      const std::string name = read_name();
      const std::string* value = name.empty() ? nullptr : find(name);
      return value != nullptr ? *value : name.empty() || rules_.keeps_unset ? "$" + name : "";
    }
    take();
    if (at_end() || is_next('{') || is_next('}') || is_next(':')) {
      throw bad(fmt::format("'${{{}' in '{}' holds no name", rest_.substr(0, 1), shown()))
          .with_hint("write a dollar sign that is text as \\$");
    }
    const std::string name = read_name();
    const std::string form(take());
    if (form == "}") {
      const std::string* value = find(name);
      return value != nullptr ? *value : rules_.keeps_unset ? "${" + name + "}" : "";
    }
    if (form == "/") {
      return read_replacement(name);
    }
    if (form.empty()) {
      throw unclosed('}');
    }
    return read_modifier(name, form);
  }

  Error unclosed(char missing) const {
    return bad(fmt::format("'{}' in '{}' is missing", missing, shown()))
        .with_hint("a text that begins with '${' goes on to its '}'");
  }

  std::string read_modifier(const std::string& name, std::string form) {
    const bool is_empty_unset = form == ":";
    if (is_empty_unset) {
      form = take();
    }
    const std::string sign = (is_empty_unset ? ":" : "") + form;
    const bool is_pattern = form == "#" || form == "%";
    const bool is_known = is_pattern || form == "-" || form == "+" || form == "?";
    if (is_empty_unset ? is_pattern : !is_known) {
      throw unknown_form(name, sign);
    }
    const std::string word = read_text_until('}', is_pattern);
    const std::string* value = find(name);
    if (value == nullptr && rules_.keeps_unset) {
      return fmt::format("${{{}{}{}}}", name, sign, word);
    }
    if (!is_known) {
      throw unknown_form(name, sign);
    }
    if (is_pattern) {
      return without_pattern(value == nullptr ? "" : *value, form.front(), word);
    }
    const bool is_set = value != nullptr && !(is_empty_unset && value->empty());
    if (form == "?" && !is_set) {
      const std::string_view reason = value == nullptr ? "must be set" : "must not be empty";
      throw bad(fmt::format("{}: {}", name, word.empty() ? reason : word));
    }
    return form == "+" ? (is_set ? word : "") : is_set ? *value : word;
  }

  Error unknown_form(const std::string& name, const std::string& sign) const {
    return bad(fmt::format("'${{{}{}' in '{}' is no known form", name, printable(sign, 4), shown()))
        .with_hint(
            "known are ${x:-word}, ${x:+word}, ${x:?word}, these without the colon, "
            "${x#pattern}, ${x%pattern} and ${x/pattern/text}");
  }

  std::string without_pattern(std::string_view value, char side, std::string_view word) {
    const bool is_doubled = word.starts_with(side);
    const Pattern pattern(word.substr(is_doubled ? 1 : 0));
    const Length length = is_doubled ? Length::longest : Length::shortest;
    return side == '#' ? pattern.without_prefix(value, length, budget_)
                       : pattern.without_suffix(value, length, budget_);
  }

  std::string read_replacement(const std::string& name) {
    const bool is_each = is_next('/');
    if (is_each) {
      take();
    }
    const std::string pattern_text = read_text_until('/', true);
    const std::string replacement = read_text_until('}', true);
    const std::string* value = find(name);
    if (value == nullptr && rules_.keeps_unset) {
      return fmt::format("${{{}/{}/{}}}", name, pattern_text, replacement);
    }
    const Pattern pattern(pattern_text);
    const std::string_view text = value == nullptr ? std::string_view() : *value;
    return is_each ? pattern.replace_all(text, replacement, budget_)
                   : pattern.replace_first(text, replacement, budget_);
  }

  std::string read_text_until(char stop, bool keeps_escapes) {
    Output inner(budget_);
    read_until(stop, keeps_escapes, inner);
    return inner.take_text();
  }

  /// Digits alone, one of the shell's own parameters, or letters, digits and underscores.
  std::string read_name() {
    const std::string_view all = rest_;
    const auto take_while = [this](auto&& is_part) {
      while (!at_end() && is_part(first_character(rest_).value)) {
        take();
      }
    };
    const char first = at_end() ? '\0' : rest_.front();
    if (is_digit(static_cast<unsigned char>(first))) {
      take_while(is_digit);
    } else if (first != '\0' && std::string_view("@*#?-$!").find(first) != std::string_view::npos) {
      take();
    } else {
      take_while([](char32_t c) { return is_letter(c) || is_digit(c) || c == '_'; });
    }
    return std::string(all.substr(0, all.size() - rest_.size()));
  }

  const std::string* find(const std::string& name) {
    const std::string* value = find_(name);
    budget_.spend(value == nullptr ? 1 : value->size() + 1);
    (value == nullptr ? result_.missing : result_.used).insert(name);
    return value;
  }

  std::string shown() const { return printable(source_, k_max_shown); }

  std::string_view source_;
  std::string_view rest_;
  const FindVariable& find_;
  const ExpandRules& rules_;
  Budget& budget_;
  bool keeps_escapes_ = false;
  int depth_ = 0;
  Expansion result_;
};

}  // namespace

Expansion expand(
    std::string_view word, const FindVariable& find, const ExpandRules& rules, Budget& budget) {
  return Expander(word, find, rules, budget).run();
}

}  // namespace freshet::dockerfile
