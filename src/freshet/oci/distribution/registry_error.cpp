// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/registry_error.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/url.hpp"
#include "freshet/oci/distribution/pull_quota.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace freshet::oci {
namespace json = boost::json;
namespace {

constexpr std::size_t k_max_errors = 5;
constexpr std::size_t k_max_plain_text = 300;

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string words_of_entry(const json::value& entry) {
  if (!entry.is_object()) {
    return {};
  }
  const std::string code = text_member(entry.get_object(), "code");
  const std::string message = text_member(entry.get_object(), "message");
  const std::string detail = text_member(entry.get_object(), "detail");
  std::string words = code.empty() || message.empty() ? code + message : code + ": " + message;
  return detail.empty() || detail == message ? words : words + " (" + detail + ")";
}

std::string words_of_object(const json::object& root) {
  std::vector<std::string> all;
  const json::value* errors = root.if_contains("errors");
  if (errors != nullptr && errors->is_array()) {
    for (const json::value& entry : errors->get_array()) {
      std::string words = words_of_entry(entry);
      if (!words.empty() && all.size() < k_max_errors) {
        all.push_back(std::move(words));
      }
    }
  }
  for (const std::string_view name : {"details", "error_description", "message", "error"}) {
    if (all.empty() && !text_member(root, name).empty()) {
      all.push_back(text_member(root, name));  // token servers and proxies have forms of their own
    }
  }
  return join(all, "; ");
}

bool is_html(const net::HttpResponse& response) {
  return to_lower(response.headers.find("Content-Type").value_or("")).find("html") !=
             std::string::npos ||
         trim(response.body).starts_with('<');
}

Error error_for_redirect(
    std::string_view domain, const Request& request, const net::HttpResponse& response) {
  return Error(
      ErrorCode::unsupported,
      fmt::format(
          "'{}' redirects {} to '{}', which is not followed",
          domain,
          request.action,
          net::redacted(response.headers.find("Location").value_or(""))));
}

}  // namespace

std::string registry_words(const net::HttpResponse& response) {
  boost::system::error_code failure;
  const json::value value = json::parse(response.body, failure);
  if (!failure && value.is_object()) {
    return words_of_object(value.get_object());
  }
  return is_html(response) ? std::string() : printable(response.body, k_max_plain_text);
}

Error registry_error(
    std::string_view domain, const Request& request, const net::HttpResponse& response) {
  const int status = response.status;
  if (status >= 300 && status < 400) {
    return error_for_redirect(domain, request, response).with_remote_text({}, status);
  }
  ErrorCode code = ErrorCode::upstream_denied;
  std::string hint;
  std::string message = fmt::format("'{}' refused {}", domain, request.action);
  if (status < 300) {
    code = ErrorCode::corrupt_data;
    message = fmt::format("'{}' gave an answer that makes no sense for {}", domain, request.action);
  } else if (status == 401 || status == 403) {
    message = fmt::format("'{}' does not allow {}", domain, request.action);
  } else if (status == 404) {
    code = ErrorCode::not_found;
    message = fmt::format("'{}' does not have {}", domain, request.subject);
  } else if (status == 413) {
    code = ErrorCode::too_large;
  } else if (status == 429) {
    code = ErrorCode::rate_limited;
    message = fmt::format("'{}' got too many requests; it refused {}", domain, request.action);
    if (const auto quota = pull_quota(response)) {
      message += fmt::format(" (its limit is {})", quota->to_string());
      hint = "try again later, or with credentials that have a higher rate limit";
    }
  } else if (status >= 500) {
    code = ErrorCode::unavailable;
    message = fmt::format("'{}' has a trouble of its own with {}", domain, request.action);
  }
  return Error(code, std::move(message))
      .with_hint(std::move(hint))
      .with_remote_text(registry_words(response), status);
}

}  // namespace freshet::oci
