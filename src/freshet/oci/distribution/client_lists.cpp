// SPDX-License-Identifier: Apache-2.0
// The parts of RegistryClient that list, and the probe for the right to push.
#include "freshet/base/text.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/oci/distribution/pagination.hpp"
#include "freshet/oci/distribution/requests.hpp"
#include "freshet/oci/reference.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace freshet::oci {
namespace json = boost::json;
namespace {

constexpr std::string_view k_page_size = "1000";  // ECR refuses more
constexpr std::size_t k_max_page_bytes = 4UL * 1024 * 1024;
constexpr std::size_t k_max_pages = 1000;  // a registry that links in circles ends here

PushProbe judge_upload_answer(const std::string& domain, const net::HttpResponse& response) {
  PushProbe probe;
  probe.remote_text = registry_words(response);
  switch (response.status) {
    case 202:
      probe.answer = PushProbe::Answer::yes;
      probe.remote_text.clear();
      break;
    case 401:
    case 403:
      probe.answer = PushProbe::Answer::no;
      probe.reason = fmt::format("'{}' does not allow pushing", domain);
      break;
    case 405:
      probe.answer = PushProbe::Answer::no;
      probe.reason = fmt::format("'{}' is read-only", domain);
      break;
    case 404:
      probe.reason = fmt::format("'{}' wants the repository to be made before a push", domain);
      break;
    default:
      probe.reason = fmt::format("'{}' answered the attempt with HTTP {}", domain, response.status);
      break;
  }
  return probe;
}

}  // namespace

Awaitable<std::vector<std::string>> RegistryClient::list_tags(Ctx ctx, std::string repository) {
  require_repository(repository);
  const Request about{
      fmt::format("listing the tags of '{}'", repository),
      fmt::format("repository '{}'", repository)};
  List list;
  list.target = fmt::format("/v2/{}/tags/list?n={}", repository, k_page_size);
  list.scope = pull_scope(repository);
  list.member = "tags";
  list.is_valid = &is_valid_tag;
  list.request = about;
  co_return co_await list_pages(ctx, std::move(list));
}

Awaitable<std::vector<std::string>> RegistryClient::list_repositories(Ctx ctx) {
  List list;
  list.target = fmt::format("/v2/_catalog?n={}", k_page_size);
  list.scope = "registry:catalog:*";
  list.member = "repositories";
  list.is_valid = &is_valid_repository_path;
  list.request.action = "listing its repositories";
  list.request.subject = "a list of its repositories";
  std::optional<Error> refusal;
  try {
    co_return co_await list_pages(ctx, std::move(list));
  } catch (const net::TransportError&) {
    throw;
  } catch (const Error& error) {
    refusal = error;
  }
  const bool is_refusal = refusal->http_status() == 401 || refusal->http_status() == 403 ||
                          refusal->http_status() == 404 || refusal->http_status() == 405;
  if (!is_refusal) {
    throw Error(*refusal);
  }
  co_await connection_->authorizer().identify(ctx);
  throw Error(
      ErrorCode::unsupported,
      fmt::format(
          "'{}' does not list its repositories to {}", domain(), connection_->authorizer().who()))
      .with_hint("most hosted registries never do: name the repository instead")
      .with_remote_text(refusal->remote_text(), refusal->http_status());
}

Awaitable<std::vector<std::string>> RegistryClient::list_pages(Ctx ctx, List list) {
  std::vector<std::string> all;
  for (std::size_t page = 0; page < k_max_pages; ++page) {
    net::HttpRequest request;
    request.url = list.target;
    request.max_body_bytes = k_max_page_bytes;
    const net::HttpResponse response =
        co_await connection_->send(ctx, std::move(request), list.scope);
    if (response.status != 200) {
      throw registry_error(domain(), list.request, response);
    }
    for (std::string& item : read_page(list, response)) {
      all.push_back(std::move(item));
    }
    const net::Url registry = co_await connection_->origin(ctx);
    auto next = next_page(registry, response);
    if (!next) {
      co_return all;
    }
    if (*next == list.target) {
      break;
    }
    list.target = std::move(*next);
  }
  throw Error(
      ErrorCode::corrupt_data,
      fmt::format("'{}' finds no end with {}", domain(), list.request.action));
}

std::vector<std::string> RegistryClient::read_page(
    const List& list, const net::HttpResponse& response) const {
  boost::system::error_code failure;
  const json::value value = json::parse(response.body, failure);
  const json::value* items =
      !failure && value.is_object() ? value.get_object().if_contains(list.member) : nullptr;
  if (items == nullptr || !(items->is_array() || items->is_null())) {
    throw registry_error(domain(), list.request, response);
  }
  std::vector<std::string> page;
  if (items->is_null()) {
    return page;  // how distribution writes an empty list
  }
  for (const json::value& item : items->get_array()) {
    if (!item.is_string() || !list.is_valid(item.get_string())) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format(
              "'{}' gave a malformed name for {}: '{}'",
              domain(),
              list.request.action,
              printable(json::serialize(item), 200)));
    }
    page.emplace_back(item.get_string());
  }
  return page;
}

Awaitable<PushProbe> RegistryClient::can_push(Ctx ctx, std::string repository) {
  require_repository(repository);
  net::HttpRequest request;
  request.method = "POST";
  request.url = fmt::format("/v2/{}/blobs/uploads/", repository);
  const std::string scope = push_scope(repository);
  net::HttpResponse response;
  try {
    response = co_await connection_->send(ctx, std::move(request), scope);
  } catch (const net::TransportError&) {
    throw;
  } catch (const Error& error) {
    if (error.http_status() != 401 && error.http_status() != 403) {
      throw;
    }
    // Some token servers refuse the token instead of giving one without the right.
    co_return PushProbe{PushProbe::Answer::no, error.message(), error.remote_text()};
  }
  if (response.status == 202) {
    co_await abandon_upload(ctx, response.headers.find("Location").value_or(""), scope);
  }
  co_return judge_upload_answer(domain(), response);
}

/// Registries collect unfinished uploads by themselves, so a failure here is no failure.
Awaitable<void> RegistryClient::abandon_upload(Ctx ctx, std::string location, std::string scope) {
  const net::Url registry = co_await connection_->origin(ctx);
  const auto target = target_on(registry, location);
  if (!target) {
    co_return;
  }
  net::HttpRequest request;
  request.method = "DELETE";
  request.url = *target;
  try {
    co_await connection_->send_once(ctx, std::move(request), std::move(scope));
  } catch (const Error&) {
    co_return;
  }
}

}  // namespace freshet::oci
