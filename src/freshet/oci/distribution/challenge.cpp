// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/challenge.hpp"

#include "freshet/base/text.hpp"

#include <algorithm>

namespace freshet::oci {
namespace {

constexpr std::size_t k_max_challenges = 32;
constexpr std::size_t k_max_parameters = 32;

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Reads a header value from left to right; every step consumes at least one character.
class ChallengeReader {
 public:
  explicit ChallengeReader(std::string_view text) : text_(text) {}

  std::vector<Challenge> read() {
    while (skip_separators()) {
      const std::string token = take_token();
      if (token.empty()) {
        ++at_;  // garbage
        continue;
      }
      skip_blanks();
      if (peek() == '=' && is_parameter_ahead()) {
        ++at_;
        add_parameter(to_lower(token), take_value());
      } else {
        begin_challenge(to_lower(token));
      }
    }
    return std::move(challenges_);
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') {
      ++at_;
    }
  }

  bool skip_separators() {
    while (peek() == ' ' || peek() == '\t' || peek() == ',') {
      ++at_;
    }
    return at_ < text_.size();
  }

  std::string take_token() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_token_char(text_[at_])) {
      ++at_;
    }
    return std::string(text_.substr(start, at_ - start));
  }

  /// Tells `name=value` from the padding of a bare token such as `Negotiate YWJj==`.
  bool is_parameter_ahead() const {
    std::size_t next = at_ + 1;
    while (next < text_.size() && (text_[next] == ' ' || text_[next] == '\t')) {
      ++next;
    }
    return next < text_.size() && (text_[next] == '"' || is_token_char(text_[next]));
  }

  std::string take_value() {
    skip_blanks();
    if (peek() != '"') {
      return take_unquoted();
    }
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        ++at_;
      }
      value += text_[at_];
    }
    if (at_ < text_.size()) {
      ++at_;  // the closing quote
    }
    return value;
  }

  /// Up to a comma or blank: some servers leave URLs unquoted, which the grammar forbids.
  std::string take_unquoted() {
    const std::size_t start = at_;
    at_ = std::min(text_.find_first_of(" \t,", at_), text_.size());
    return std::string(text_.substr(start, at_ - start));
  }

  void begin_challenge(std::string scheme) {
    is_kept_ = challenges_.size() < k_max_challenges;
    if (is_kept_) {
      challenges_.push_back(Challenge{std::move(scheme), {}});
    }
  }

  void add_parameter(std::string name, std::string value) {
    if (is_kept_ && challenges_.back().parameters.size() < k_max_parameters) {
      challenges_.back().parameters.emplace_back(std::move(name), std::move(value));
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool is_kept_ = false;
  std::vector<Challenge> challenges_;
};

}  // namespace

std::string Challenge::parameter(std::string_view name) const {
  const auto found = std::ranges::find(
      parameters, name, [](const auto& pair) { return std::string_view(pair.first); });
  return found == parameters.end() ? std::string() : found->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  return ChallengeReader(header).read();
}

}  // namespace freshet::oci
