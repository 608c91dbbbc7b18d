// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/progress/progress.hpp"

#include "freshet/base/error.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace freshet::cli {
namespace {

/// A terminal that understands cursor movements.
bool is_live_terminal(std::FILE* out) {
  const char* kind = std::getenv("TERM");
  return ::isatty(::fileno(out)) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

ProgressMode parse_progress_mode(std::string_view text) {
  if (text == "auto") {
    return ProgressMode::automatic;
  }
  if (text == "tty") {
    return ProgressMode::tty;
  }
  if (text == "plain") {
    return ProgressMode::plain;
  }
  if (text == "json") {
    return ProgressMode::json;
  }
  throw Error(ErrorCode::invalid_input, fmt::format("'{}' is not a progress mode", text))
      .with_hint("use auto, tty, plain or json");
}

std::unique_ptr<pipeline::RunObserver> make_progress(
    ProgressMode mode, std::FILE* out, boost::asio::any_io_executor executor) {
  switch (mode) {
    case ProgressMode::json:
      return make_json_progress(out);
    case ProgressMode::tty:
      return make_tty_progress(out, std::move(executor));
    case ProgressMode::plain:
      return make_plain_progress(out);
    case ProgressMode::automatic:
      break;
  }
  return is_live_terminal(out) ? make_tty_progress(out, std::move(executor))
                               : make_plain_progress(out);
}

}  // namespace freshet::cli
