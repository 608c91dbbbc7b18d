// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/pattern.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::engine {
namespace {

// Positions are 16 bits wide, and no path is longer than PATH_MAX.
constexpr std::size_t k_max_pattern_bytes = 16 * 1024;

/// Bytes that are no UTF-8 count as one character each, beyond all of Unicode.
constexpr char32_t k_stray_byte = 0x110000;

[[noreturn]] void refuse(std::string_view pattern) {
  throw Error(
      ErrorCode::invalid_input, fmt::format("pattern '{}' is malformed", printable(pattern, 200)))
      .with_hint("close every '[' and put no '\\' at the end");
}

std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 2;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return 3;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/// Takes one character from `text` at `at`.
char32_t next_character(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = sequence_length(lead);
  if (length == 1) {
    ++at;
    return lead;
  }
  if (length == 0 || at + length > text.size()) {
    ++at;
    return k_stray_byte + lead;
  }
  char32_t character = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[at + i]);
    if ((byte & 0xC0) != 0x80) {
      ++at;
      return k_stray_byte + lead;
    }
    character = (character << 6) | (byte & 0x3F);
  }
  at += length;
  return character;
}

}  // namespace

std::string clean_path(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part == "..") {
      const std::size_t slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
    } else if (!part.empty() && part != ".") {
      if (!out.empty()) {
        out += '/';
      }
      out += part;
    }
    at = end + 1;
  }
  return out;
}

std::string escape_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

Pattern Pattern::parse(std::string_view text) {
  const std::string clean = clean_path(text);
  if (clean.size() > k_max_pattern_bytes) {
    refuse(text);
  }
  Pattern out;
  for (std::size_t at = 0; at < clean.size();) {
    const char c = clean[at];
    Token token;
    if (c == '[') {
      out.add_class(clean, at);
      continue;
    }
    if (c == '*' && clean.compare(at, 2, "**") == 0) {
      at += 2;
      // `**/` swallows its slash: it stands for `a/b/` or for nothing.
      at += at < clean.size() && clean[at] == '/' ? 1 : 0;
      token.kind = at == clean.size() ? Kind::everything : Kind::directories;
    } else if (c == '*') {
      ++at;
      token.kind = Kind::any_run;
    } else if (c == '?') {
      ++at;
      token.kind = Kind::any_character;
    } else {
      at += c == '\\' ? 1 : 0;
      if (at == clean.size()) {
        refuse(text);
      }
      token.character = next_character(clean, at);
    }
    out.tokens_.push_back(std::move(token));
  }
  return out;
}

void Pattern::add_class(std::string_view text, std::size_t& at) {
  Token token;
  token.kind = Kind::character_class;
  ++at;  // the bracket
  token.negated = at < text.size() && text[at] == '^';
  at += token.negated ? 1 : 0;
  const auto take = [&] {
    at += at < text.size() && text[at] == '\\' ? 1 : 0;
    if (at >= text.size()) {
      refuse(text);
    }
    return next_character(text, at);
  };
  while (at < text.size() && (text[at] != ']' || token.ranges.empty())) {
    const char32_t first = take();
    char32_t last = first;
    if (at + 1 < text.size() && text[at] == '-' && text[at + 1] != ']') {
      ++at;
      last = take();
    }
    token.ranges.emplace_back(first, last);
  }
  if (at >= text.size()) {
    refuse(text);
  }
  ++at;  // the closing bracket
  tokens_.push_back(std::move(token));
}

/// Adds `position` and those that are reached from it without reading a character.
void Pattern::add(State& state, std::size_t position) const {
  for (;; ++position) {
    const auto narrow = static_cast<std::uint16_t>(position);
    if (std::find(state.begin(), state.end(), narrow) == state.end()) {
      state.push_back(narrow);
    }
    if (position >= tokens_.size()) {
      return;
    }
    const Kind kind = tokens_[position].kind;
    if (kind != Kind::any_run && kind != Kind::directories && kind != Kind::everything) {
      return;
    }
  }
}

void Pattern::step(std::uint16_t position, char32_t character, State& next) const {
  if (position >= tokens_.size()) {
    return;
  }
  const Token& token = tokens_[position];
  switch (token.kind) {
    case Kind::character:
      if (character == token.character) {
        add(next, position + 1u);
      }
      return;
    case Kind::any_character:
      if (character != U'/') {
        add(next, position + 1u);
      }
      return;
    case Kind::character_class: {
      const bool inside =
          std::any_of(token.ranges.begin(), token.ranges.end(), [&](const auto& range) {
            return range.first <= character && character <= range.second;
          });
      if (character != U'/' && inside != token.negated) {
        add(next, position + 1u);
      }
      return;
    }
    case Kind::any_run:
      if (character != U'/') {
        add(next, position);
      }
      return;
    case Kind::directories:
      // Once entered it can only be left behind a slash, so what follows is not added here.
      if (std::find(next.begin(), next.end(), position) == next.end()) {
        next.push_back(position);
      }
      if (character == U'/') {
        add(next, position + 1u);
      }
      return;
    case Kind::everything:
      add(next, position);
      return;
  }
}

Pattern::State Pattern::start() const {
  State state;
  add(state, 0);
  return state;
}

Pattern::State Pattern::advance(const State& from, std::string_view text) const {
  State state = from;
  State next;
  for (std::size_t at = 0; at < text.size() && !state.empty();) {
    const char32_t character = next_character(text, at);
    next.clear();
    for (const std::uint16_t position : state) {
      step(position, character, next);
    }
    state.swap(next);
  }
  return state;
}

bool Pattern::accepts(const State& state) const {
  return std::find(state.begin(), state.end(), tokens_.size()) != state.end();
}

bool Pattern::matches(std::string_view path) const {
  return accepts(advance(start(), path));
}

bool Pattern::can_match_below(std::string_view path) const {
  return !advance(advance(start(), path), "/").empty();
}

}  // namespace freshet::engine
