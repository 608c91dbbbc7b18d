// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error_text.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <system_error>

namespace freshet {
namespace json = boost::json;

std::string to_terminal(const Error& error) {
  std::string out = fmt::format("error: {}\n", error.message());
  const bool has_remote = !error.remote_text().empty();
  if (has_remote && error.http_status() != 0) {
    out += fmt::format("  it said: '{}' (HTTP {})\n", error.remote_text(), error.http_status());
  } else if (has_remote) {
    out += fmt::format("  it said: '{}'\n", error.remote_text());
  } else if (error.http_status() != 0) {
    out += fmt::format("  it answered HTTP {}\n", error.http_status());
  }
  for (const std::string& frame : error.frames()) {
    out += fmt::format("  while {}\n", frame);
  }
  if (error.position().is_known()) {
    out += fmt::format("  at {}\n", to_string(error.position()));
  }
  if (!error.hint().empty()) {
    out += fmt::format("hint: {}\n", error.hint());
  }
  return out;
}

json::object to_json(const Error& error) {
  json::object out;
  out["code"] = to_string(error.code());
  out["message"] = error.message();
  out["context"] = json::array(error.frames().begin(), error.frames().end());
  out["at"] = nullptr;
  if (error.position().is_known()) {
    json::object at;
    at["file"] = error.position().file;
    at["line"] = error.position().line;
    at["column"] = error.position().column;
    out["at"] = std::move(at);
  }
  out["hint"] = error.hint().empty() ? json::value(nullptr) : json::value(error.hint());
  out["detail"] = nullptr;
  if (!error.remote_text().empty() || error.http_status() != 0) {
    json::object detail;
    detail["remote_text"] = error.remote_text();
    detail["http_status"] =
        error.http_status() == 0 ? json::value(nullptr) : json::value(error.http_status());
    out["detail"] = std::move(detail);
  }
  return out;
}

Error to_error(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::unavailable, "out of memory");
  } catch (const std::system_error& error) {
    return Error(ErrorCode::internal, error.what());
  } catch (const std::exception& error) {
    return Error(ErrorCode::internal, error.what())
        .with_hint("this is a bug in freshet: please report it with the command that you ran");
  } catch (...) {
    return Error(ErrorCode::internal, "something was thrown that is no error")
        .with_hint("this is a bug in freshet: please report it with the command that you ran");
  }
}

}  // namespace freshet
