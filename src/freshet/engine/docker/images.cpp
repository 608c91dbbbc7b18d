// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/client_impl.hpp"
#include "freshet/engine/docker/errors.hpp"
#include "freshet/engine/docker/json_access.hpp"
#include "freshet/engine/docker/transfer_report.hpp"
#include "freshet/oci/reference.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace freshet::engine {
namespace {

constexpr ApiVersion k_identity_api{1, 53};

std::string path_of(std::string_view image, std::string_view verb) {
  return fmt::format("/images/{}{}", encode_path(image), verb);
}

/// With containerd's image store, told from API 1.48 on by `Descriptor`, from before by a name's
/// digest that is the id.
bool is_named_by_manifest(const ImageDetails& details, const json::object& image) {
  return image.contains("Descriptor") ||
         std::ranges::any_of(details.repo_digests, [&](const std::string& name) {
           return name.ends_with("@" + details.id);
         });
}

/// The name as `Identity` has it: in full, but for the port.
std::string name_without_port(const std::string& text) {
  const oci::Reference reference = oci::Reference::parse(text);
  return reference.domain.substr(0, reference.domain.rfind(':')) + "/" + reference.path;
}

/// Leaves the names that the engine exchanged with a registry, and those of base images that a
/// build used: BuildKit marks them alike.
/// Source: Docker Engine API 1.53, `Identity` of `GET /images/{name}/json`.
void drop_unexchanged(ImageDetails& details, const json::object& image) {
  std::set<std::string> exchanged;
  for (const json::value& pull : array_at(object_at(image, "Identity"), "Pull")) {
    exchanged.insert(name_without_port(text_at(as_object(pull), "Repository")));
  }
  std::erase_if(details.repo_digests, [&](const std::string& name) {
    return !exchanged.contains(name_without_port(name));
  });
}

ImageDetails details_from(const json::object& image) {
  const json::object& config = object_at(image, "Config");
  ImageDetails details;
  details.id = text_at(image, "Id");
  details.repo_tags = texts_at(image, "RepoTags");
  details.repo_digests = texts_at(image, "RepoDigests");
  details.is_named_by_manifest = is_named_by_manifest(details, image);
  details.size_bytes = number_at(image, "Size");
  details.os = text_at(image, "Os");
  details.architecture = text_at(image, "Architecture");
  details.diff_ids = texts_at(object_at(image, "RootFS"), "Layers");
  details.working_directory = text_at(config, "WorkingDir");
  details.environment = texts_at(config, "Env");
  details.entry_point = texts_at(config, "Entrypoint");
  details.command = texts_at(config, "Cmd");
  return details;
}

/// What fails once the engine has begun to answer is in its report.
void require_success(const EngineAnswer& answer, const std::string& action) {
  TransferReport report(nullptr);
  report.feed(answer.body);
  report.finish();
  if (!report.failure().empty()) {
    throw Error(ErrorCode::upstream_denied, fmt::format("the Docker engine could not {}", action))
        .with_remote_text(report.failure());
  }
}

}  // namespace

Awaitable<std::optional<ImageDetails>> DockerClient::find_image(Ctx ctx, std::string image) {
  const std::string subject = fmt::format("image '{}'", image);
  EngineRequest request =
      make_request("GET", path_of(image, "/json"), "inspect " + subject, subject);
  request.accepted.push_back(404);
  const EngineAnswer answer = co_await impl_->transport.call(ctx, std::move(request));
  if (answer.status == 404) {
    co_return std::nullopt;
  }
  json::error_code code;
  const json::value value = json::parse(answer.body, code);
  ImageDetails details = details_from(as_object(value));
  if (code || details.id.empty()) {
    throw malformed_answer(endpoint(), "inspect " + subject);
  }
  const EngineGreeting greeting = co_await impl_->transport.greet(ctx);
  if (details.is_named_by_manifest && greeting.newest >= k_identity_api) {
    drop_unexchanged(details, as_object(value));
  }
  co_return details;
}

Awaitable<std::vector<std::string>> DockerClient::list_images_of(
    Ctx ctx, std::string config_digest) {
  EngineRequest request = make_request("GET", "/images/json?all=1", "list images", "");
  const json::value answer = co_await impl_->call_json(ctx, std::move(request));
  std::vector<std::string> ids;
  for (const json::value& value : as_array(answer)) {
    const json::object& image = as_object(value);
    const json::object& annotations = object_at(object_at(image, "Descriptor"), "annotations");
    if (text_at(annotations, "config.digest") == config_digest) {
      ids.push_back(text_at(image, "Id"));
    }
  }
  co_return ids;
}

Awaitable<std::vector<ImageHistoryEntry>> DockerClient::image_history(Ctx ctx, std::string image) {
  const std::string subject = fmt::format("image '{}'", image);
  EngineRequest request =
      make_request("GET", path_of(image, "/history"), "tell the history of " + subject, subject);
  const json::value answer = co_await impl_->call_json(ctx, std::move(request));
  std::vector<ImageHistoryEntry> history;
  for (const json::value& value : as_array(answer)) {
    const json::object& entry = as_object(value);
    history.push_back(ImageHistoryEntry{text_at(entry, "CreatedBy"), number_at(entry, "Size")});
  }
  std::reverse(history.begin(), history.end());  // the engine tells the newest first
  co_return history;
}

Awaitable<void> DockerClient::tag_image(
    Ctx ctx, std::string image, std::string repository, std::string tag) {
  const std::string subject = fmt::format("image '{}'", image);
  const Query query{{"repo", repository}, {"tag", tag}};
  EngineRequest request = make_request(
      "POST",
      with_query(path_of(image, "/tag"), query),
      fmt::format("tag {} as '{}:{}'", subject, repository, tag),
      subject);
  co_await impl_->transport.call(ctx, std::move(request));
}

Awaitable<void> DockerClient::remove_image_name(Ctx ctx, std::string repository, std::string tag) {
  const std::string name = repository + ":" + tag;
  const std::string subject = fmt::format("image '{}'", name);
  EngineRequest request = make_request("DELETE", path_of(name, ""), "untag " + subject, subject);
  request.accepted.push_back(404);
  co_await impl_->transport.call(ctx, std::move(request));
}

Awaitable<void> DockerClient::import_image(
    Ctx ctx,
    std::string tar,
    std::string repository,
    std::string tag,
    std::vector<std::string> changes) {
  Query query{{"fromSrc", "-"}, {"repo", repository}, {"tag", tag}};
  for (std::string& change : changes) {
    query.emplace_back("changes", std::move(change));
  }
  const std::string action = fmt::format("import image '{}:{}'", repository, tag);
  EngineRequest request = make_request("POST", with_query("/images/create", query), action, "");
  request.body = std::move(tar);
  request.content_type = "application/x-tar";
  const EngineAnswer answer = co_await impl_->transport.call(ctx, std::move(request));
  require_success(answer, action);
}

Awaitable<void> DockerClient::load_images(
    Ctx ctx, net::ByteStream& archive, std::uint64_t size_bytes) {
  const std::string action = "load an image";
  EngineRequest request = make_request("POST", "/images/load?quiet=1", action, "");
  request.content_type = "application/x-tar";
  request.body_stream = &archive;
  request.body_stream_bytes = size_bytes;
  const EngineAnswer answer = co_await impl_->transport.call(ctx, std::move(request));
  require_success(answer, action);
}

}  // namespace freshet::engine
