// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/pattern.hpp"

#include "freshet/dockerfile/characters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace freshet::dockerfile {
namespace {

constexpr std::uint64_t k_step_units = 8;  // what one state of one character costs
constexpr std::uint64_t k_value_units = 16;  // and what keeping a character takes

struct Match {
  std::size_t begin = 0;  // in characters
  std::size_t end = 0;
};

/// A value with the places where its characters begin; the last place is its end.
struct Value {
  Value(std::string_view whole, Budget& budget) : text(whole) {
    budget.spend(whole.size() * k_value_units);
    for (std::size_t at = 0; at < text.size();) {
      const Character next = first_character(text.substr(at));
      characters.push_back(next.value);
      offsets.push_back(at);
      at += next.size;
    }
    offsets.push_back(text.size());
  }

  std::size_t size() const { return characters.size(); }
  std::string_view between(std::size_t begin, std::size_t end) const {
    return text.substr(offsets[begin], offsets[end] - offsets[begin]);
  }

  std::string_view text;
  std::vector<char32_t> characters;
  std::vector<std::size_t> offsets;
};

}  // namespace

/// Follows all ways to match at the same time: its effort is the product of both lengths.
class Matcher {
 public:
  Matcher(std::vector<Pattern::Element> elements, Budget& budget)
      : elements_(std::move(elements)), budget_(budget) {}

  /// The first match that begins at `from`, or anywhere from there on.
  std::optional<Match> find(
      const std::vector<char32_t>& value, std::size_t from, Length length, bool is_anchored) {
    std::optional<Match> found;
    States states(elements_.size() + 1);
    States next;
    for (std::size_t at = from; at <= value.size(); ++at) {
      budget_.spend((elements_.size() + 1) * k_step_units);
      if (at == from || (!is_anchored && !found)) {
        enter(states, 0, at);
      }
      const std::optional<std::size_t> begin = states.back();
      if (begin && (!found || *begin <= found->begin)) {
        found = Match{*begin, at};
        if (length == Length::shortest) {
          break;
        }
      }
      if (at == value.size() || (found && !drop_later(states, found->begin)) ||
          (is_anchored && is_dead(states))) {
        break;
      }
      step(states, value[at], next);
      states.swap(next);
    }
    return found;
  }

 private:
  /// By the number of elements matched so far: where the leftmost such match began.
  using States = std::vector<std::optional<std::size_t>>;
  using Kind = Pattern::Element::Kind;

  void enter(States& states, std::size_t state, std::size_t begin) const {
    while (!states[state] || *states[state] > begin) {
      states[state] = begin;
      if (state == elements_.size() || elements_[state].kind != Kind::any_text) {
        break;
      }
      ++state;  // it may be empty
    }
  }

  void step(const States& states, char32_t character, States& next) const {
    next.assign(states.size(), std::nullopt);
    for (std::size_t state = 0; state < elements_.size(); ++state) {
      const Pattern::Element& element = elements_[state];
      if (!states[state]) {
        continue;
      }
      if (element.kind == Kind::plain ? character == element.character : character != '\n') {
        enter(next, element.kind == Kind::any_text ? state : state + 1, *states[state]);
      }
    }
  }

  static bool is_dead(const States& states) {
    return std::ranges::none_of(states, [](const auto& begin) { return begin.has_value(); });
  }

  /// Forgets ways that began behind `begin`; false when none is left.
  static bool drop_later(States& states, std::size_t begin) {
    for (auto& state : states) {
      if (state && *state > begin) {
        state.reset();
      }
    }
    return !is_dead(states);
  }

  std::vector<Pattern::Element> elements_;
  Budget& budget_;
};

Pattern::Pattern(std::string_view text) {
  using Kind = Element::Kind;
  for (std::size_t at = 0; at < text.size();) {
    Character next = first_character(text.substr(at));
    at += next.size;
    Kind kind = next.value == '*'   ? Kind::any_text
                : next.value == '?' ? Kind::any_character
                                    : Kind::plain;
    if (next.value == '\\') {
      next = first_character(text.substr(at));
      at += next.size;
      constexpr std::u32string_view k_escapable = U"*?\\}/";
      if (k_escapable.find(next.value) == std::u32string_view::npos || next.size == 0) {
        throw Error(
            ErrorCode::invalid_input,
            fmt::format("the pattern '{}' has a backslash before something plain", text))
            .with_hint("in a pattern it may stand before * ? \\ } and / alone");
      }
    }
    elements_.push_back({kind, next.value});
  }
}

std::string Pattern::without_prefix(std::string_view text, Length length, Budget& budget) const {
  const Value value(text, budget);
  const auto match = Matcher(elements_, budget).find(value.characters, 0, length, true);
  return std::string(match ? value.between(match->end, value.size()) : text);
}

std::string Pattern::without_suffix(std::string_view text, Length length, Budget& budget) const {
  Value value(text, budget);
  std::ranges::reverse(value.characters);
  std::vector<Element> reversed(elements_.rbegin(), elements_.rend());
  const auto match = Matcher(std::move(reversed), budget).find(value.characters, 0, length, true);
  return std::string(match ? value.between(0, value.size() - match->end) : text);
}

std::string Pattern::replace_first(
    std::string_view text, std::string_view replacement, Budget& budget) const {
  const Value value(text, budget);
  const auto match = Matcher(elements_, budget).find(value.characters, 0, Length::longest, false);
  if (!match) {
    return std::string(text);
  }
  return fmt::format(
      "{}{}{}",
      value.between(0, match->begin),
      replacement,
      value.between(match->end, value.size()));
}

std::string Pattern::replace_all(
    std::string_view text, std::string_view replacement, Budget& budget) const {
  const Value value(text, budget);
  Matcher matcher(elements_, budget);
  std::string out;
  std::size_t copied = 0;
  std::size_t from = 0;
  while (from <= value.size()) {
    const auto match = matcher.find(value.characters, from, Length::longest, false);
    if (!match) {
      break;
    }
    out += value.between(copied, match->begin);
    // An empty match right behind another one does not count.
    if (match->end > copied || match->begin == 0) {
      budget.spend(replacement.size());
      out += replacement;
    }
    copied = match->end;
    from = std::max(match->end, from + 1);
  }
  return out.append(value.between(copied, value.size()));
}

}  // namespace freshet::dockerfile
