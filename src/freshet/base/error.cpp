// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace freshet {
namespace {

constexpr std::size_t k_max_remote_text = 4096;

struct CodeFacts {
  ErrorCode code;
  std::string_view name;
  int exit_code;
  bool retryable;
};

constexpr std::array k_codes{
    CodeFacts{ErrorCode::invalid_input, "invalid_input", 2, false},
    CodeFacts{ErrorCode::unsupported, "unsupported", 2, false},
    CodeFacts{ErrorCode::unauthenticated, "unauthenticated", 1, false},
    CodeFacts{ErrorCode::forbidden, "forbidden", 1, false},
    CodeFacts{ErrorCode::not_found, "not_found", 1, false},
    CodeFacts{ErrorCode::conflict, "conflict", 1, false},
    CodeFacts{ErrorCode::too_large, "too_large", 1, false},
    CodeFacts{ErrorCode::upstream_denied, "upstream_denied", 1, false},
    CodeFacts{ErrorCode::corrupt_data, "corrupt_data", 1, false},
    CodeFacts{ErrorCode::rate_limited, "rate_limited", 3, true},
    CodeFacts{ErrorCode::unavailable, "unavailable", 3, true},
    CodeFacts{ErrorCode::deadline_exceeded, "deadline_exceeded", 3, true},
    CodeFacts{ErrorCode::step_failed, "step_failed", 1, false},
    CodeFacts{ErrorCode::internal, "internal", 1, false},
};

const CodeFacts& facts_of(ErrorCode code) {
  return k_codes.at(static_cast<std::size_t>(code));
}

}  // namespace

std::string to_string(const SourcePosition& position) {
  if (!position.is_known()) {
    return position.file;
  }
  if (position.column <= 0) {
    return fmt::format("{}:{}", position.file, position.line);
  }
  return fmt::format("{}:{}:{}", position.file, position.line, position.column);
}

Error::Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

Error& Error::add_frame(std::string frame) & {
  frames_.push_back(std::move(frame));
  return *this;
}

Error&& Error::with_hint(std::string hint) && {
  hint_ = std::move(hint);
  return std::move(*this);
}

Error&& Error::at(SourcePosition position) && {
  position_ = std::move(position);
  return std::move(*this);
}

Error&& Error::with_remote_text(std::string_view text, int http_status) && {
  remote_text_ = printable(text, k_max_remote_text);
  http_status_ = http_status;
  return std::move(*this);
}

void Error::set_position_if_unknown(const SourcePosition& position) & {
  if (!position_.is_known()) {
    position_ = position;
  }
}

Error Error::with_texts(const std::function<std::string(std::string_view text)>& transform) const {
  Error out = *this;
  for (std::string* text : {&out.message_, &out.hint_, &out.remote_text_}) {
    *text = transform(*text);
  }
  for (std::string& frame : out.frames_) {
    frame = transform(frame);
  }
  return out;
}

std::string_view to_string(ErrorCode code) {
  return facts_of(code).name;
}

int exit_code_of(ErrorCode code) {
  return facts_of(code).exit_code;
}

bool is_retryable(ErrorCode code) {
  return facts_of(code).retryable;
}

void fail_assertion(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "freshet: bug: '%s' does not hold at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace freshet
