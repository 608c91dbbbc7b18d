// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/run/events.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdio>
#include <memory>
#include <string_view>

namespace freshet::cli {

/// How a run shows itself.
enum class ProgressMode {
  automatic,  // tty on a terminal, else plain
  tty,  // live lines that are redrawn
  plain,  // one line after the other
  json,  // one object a line, for programs
};

/// Throws invalid_input for an unknown word.
ProgressMode parse_progress_mode(std::string_view text);

/// Writes to `out`, which outlives it. `executor` drives the redrawing of live lines.
std::unique_ptr<pipeline::RunObserver> make_progress(
    ProgressMode mode, std::FILE* out, boost::asio::any_io_executor executor);

std::unique_ptr<pipeline::RunObserver> make_plain_progress(std::FILE* out);
std::unique_ptr<pipeline::RunObserver> make_json_progress(std::FILE* out);
std::unique_ptr<pipeline::RunObserver> make_tty_progress(
    std::FILE* out, boost::asio::any_io_executor executor);

}  // namespace freshet::cli
