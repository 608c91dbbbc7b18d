// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet {

/// What kind of failure this is. The list is closed: CLI exit codes, API status and the decision to
/// retry are derived from it (see `exit_code_of` and `is_retryable`).
enum class ErrorCode {
  invalid_input,
  unsupported,
  unauthenticated,
  forbidden,
  not_found,
  conflict,
  too_large,
  upstream_denied,
  corrupt_data,
  rate_limited,
  unavailable,
  deadline_exceeded,
  step_failed,  // the user's own program or instruction said no
  internal,
};

/// A place in a file that a user wrote. Lines and columns count from 1; 0 means unknown.
struct SourcePosition {
  std::string file;
  int line = 0;
  int column = 0;

  bool is_known() const { return line > 0; }
  bool operator==(const SourcePosition&) const = default;
};

/// `file:line:column`, leaving out what is unknown.
std::string to_string(const SourcePosition& position);

/// The one failure type of Freshet: what broke, on what, what the other side said and what to do.
///
/// It is thrown by whoever knows the cause, gains a frame (`add_frame`) from each layer that adds
/// meaning, and is turned into words once, at the edge, by `base/error_text.hpp`.
class Error : public std::exception {
 public:
  /// `message` is one sentence in the user's words: lower case, no full stop, names in 'quotes'.
  Error(ErrorCode code, std::string message);

  Error& add_frame(std::string frame) &;
  Error&& with_hint(std::string hint) &&;
  Error&& at(SourcePosition position) &&;
  /// Quotes what a remote program answered; it is cleaned of control characters and cut to 4 KiB.
  Error&& with_remote_text(std::string_view text, int http_status = 0) &&;
  void set_position_if_unknown(const SourcePosition& position) &;
  /// The same error with every text put through `transform`, such as a masking of secrets.
  Error with_texts(const std::function<std::string(std::string_view text)>& transform) const;

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  /// Innermost first.
  const std::vector<std::string>& frames() const { return frames_; }
  const std::string& hint() const { return hint_; }
  const SourcePosition& position() const { return position_; }
  const std::string& remote_text() const { return remote_text_; }
  /// 0 when no HTTP answer was involved.
  int http_status() const { return http_status_; }

  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::vector<std::string> frames_;
  std::string hint_;
  SourcePosition position_;
  std::string remote_text_;
  int http_status_ = 0;
};

/// Why work was stopped on purpose.
enum class StopReason { user, shutdown, sibling_failed };

/// Thrown out of work that was stopped on purpose; not an `Error`, so that no handler of failures
/// mistakes a stop for one.
class Cancelled : public std::exception {
 public:
  explicit Cancelled(StopReason reason) : reason_(reason) {}
  StopReason reason() const { return reason_; }
  const char* what() const noexcept override { return "cancelled"; }

 private:
  StopReason reason_;
};

/// The name of `code` as it stands in JSON, e.g. `not_found`.
std::string_view to_string(ErrorCode code);
/// Exit code of the command line program: 2 for bad input, 3 for what may work later, else 1.
int exit_code_of(ErrorCode code);
bool is_retryable(ErrorCode code);

/// Runs `work` and adds `frame` to an `Error` that leaves it.
template <class Work>
auto in_context(std::string_view frame, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (Error& error) {
    error.add_frame(std::string(frame));
    throw;
  }
}

[[noreturn]] void fail_assertion(const char* expression, const char* file, int line);

}  // namespace freshet

/// For bugs, never for input; stays on in every build.
#define FRESHET_ASSERT(expression) \
  ((expression) ? void(0) : ::freshet::fail_assertion(#expression, __FILE__, __LINE__))
