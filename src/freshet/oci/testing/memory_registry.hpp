// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/text.hpp"
#include "freshet/net/http.hpp"
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/net/url.hpp"
#include "freshet/oci/manifest.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace freshet::oci::testing {

/// A registry that lives in memory and is spoken to without a network. It keeps the protocol's
/// rules: what a manifest names must be there, digests must fit. It writes down every request.
class MemoryRegistry final : public net::HttpClient {
 public:
  struct Repository {
    std::map<std::string, std::string> blobs;  // by digest
    std::map<std::string, Manifest> manifests;  // by digest
    std::map<std::string, std::string> tags;
  };

  // Its ways.
  bool mounts = true;
  bool has_referrers_api = true;
  int commits_to_lose = 0;  // carried out, but the answer never comes
  int manifests_to_garble = 0;  // puts that arrive as other bytes
  std::string denied;  // requests that begin so get 403

  /// What the referrers API lists besides what is true, by subject.
  std::map<std::string, std::vector<Descriptor>> also_listed;

  std::map<std::string, Repository> repositories;

  Descriptor add_blob(const std::string& repository, std::string bytes, std::string type = "") {
    Descriptor blob{std::move(type), Digest::of(bytes), bytes.size()};
    repositories[repository].blobs[blob.digest.to_string()] = std::move(bytes);
    return blob;
  }
  Manifest add_manifest(
      const std::string& repository, std::string bytes, std::string type, std::string tag = "") {
    Descriptor descriptor{std::move(type), Digest::of(bytes), bytes.size()};
    Manifest manifest{std::move(descriptor), std::move(bytes)};
    Repository& place = repositories[repository];
    place.manifests.insert_or_assign(manifest.descriptor.digest.to_string(), manifest);
    if (!tag.empty()) {
      place.tags[tag] = manifest.descriptor.digest.to_string();
    }
    return manifest;
  }

  /// `METHOD /path`, oldest first.
  std::vector<std::string> log;
  int count(std::string_view start, std::string_view part = "") const {
    return static_cast<int>(std::ranges::count_if(log, [&](const std::string& line) {
      return line.starts_with(start) && line.find(part) != std::string::npos;
    }));
  }
  /// The number of the first such request; -1 without one.
  int first(std::string_view start, std::string_view part = "") const {
    for (std::size_t i = 0; i < log.size(); ++i) {
      if (log[i].starts_with(start) && log[i].find(part) != std::string::npos) {
        return static_cast<int>(i);
      }
    }
    return -1;
  }

  Awaitable<net::HttpResponse> send(Ctx, net::HttpRequest request) override {
    // Others get their turn, as they would with a network in between.
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    if (request.body_stream != nullptr) {
      request.body = co_await read_all(*request.body_stream);
    }
    const auto url = net::parse_url(request.url);
    log.push_back(request.method + " " + url->target());
    if (!denied.empty() && log.back().starts_with(denied)) {
      co_return refusal(403, "DENIED", "requested access to the resource is denied");
    }
    net::HttpResponse response = answer(request, *url);
    const std::string length = std::to_string(response.body.size());
    if (!response.headers.find("Content-Length")) {
      response.headers.add("Content-Length", length);
    }
    if (request.method == "HEAD") {
      response.body.clear();
    }
    if (response.body.size() > request.max_body_bytes) {
      throw Error(ErrorCode::too_large, "the answer is longer than it may be");
    }
    if (log.back().starts_with("PUT ") && url->path.find("/uploads/") != std::string::npos &&
        commits_to_lose > 0) {
      --commits_to_lose;
      throw net::TransportError(
          net::TransportProblem::closed, ErrorCode::unavailable, "the connection was lost");
    }
    co_return response;
  }

  Awaitable<std::unique_ptr<net::HttpStream>> open(Ctx ctx, net::HttpRequest request) override {
    request.max_body_bytes = std::numeric_limits<std::size_t>::max();
    net::HttpResponse response = co_await send(ctx, std::move(request));
    co_return std::make_unique<net::testing::detail::ScriptedStream>(
        std::move(response), 4096, std::nullopt);
  }

 private:
  static Awaitable<std::string> read_all(net::ByteStream& stream) {
    std::string bytes;
    char buffer[4096];
    for (;;) {
      const std::size_t count = co_await stream.read(asio::buffer(buffer));
      if (count == 0) {
        co_return bytes;
      }
      bytes.append(buffer, count);
    }
  }

  static net::HttpResponse reply(int status, net::HttpHeaders headers = {}, std::string body = "") {
    net::HttpResponse response;
    response.status = status;
    response.headers = std::move(headers);
    response.body = std::move(body);
    return response;
  }
  static net::HttpResponse refusal(int status, std::string_view code, std::string_view message) {
    return reply(
        status,
        {{"Content-Type", "application/json"}},
        fmt::format(R"({{"errors":[{{"code":"{}","message":"{}"}}]}})", code, message));
  }

  static std::string parameter(const net::Url& url, std::string_view name) {
    for (const std::string& pair : split(url.query, '&')) {
      if (pair.starts_with(std::string(name) + "=")) {
        std::string value = pair.substr(name.size() + 1);
        for (const auto& [from, to] : {std::pair{"%3A", ":"}, std::pair{"%2F", "/"}}) {
          for (std::size_t at = 0; (at = value.find(from)) != std::string::npos;) {
            value.replace(at, 3, to);
          }
        }
        return value;
      }
    }
    return {};
  }

  net::HttpResponse answer(const net::HttpRequest& request, const net::Url& url) {
    for (const std::string_view kind :
         {"/blobs/uploads/", "/blobs/", "/manifests/", "/referrers/"}) {
      const std::size_t at = url.path.find(kind);
      if (at == std::string::npos) {
        continue;
      }
      const std::string repository = url.path.substr(4, at - 4);
      const std::string rest = url.path.substr(at + kind.size());
      if (kind == "/blobs/uploads/") {
        return answer_upload(request, url, repository, rest);
      }
      if (kind == "/blobs/") {
        return answer_blob(request, repository, rest);
      }
      return kind == "/manifests/" ? answer_manifest(request, repository, rest)
                                   : answer_referrers(repository, rest);
    }
    return reply(200);
  }

  net::HttpResponse answer_blob(
      const net::HttpRequest& request, const std::string& repository, const std::string& digest) {
    const auto& blobs = repositories[repository].blobs;
    const auto blob = blobs.find(digest);
    if (blob == blobs.end()) {
      return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry");
    }
    const std::string range = request.headers.find("Range").value_or("");
    if (range.starts_with("bytes=")) {
      const std::size_t start = std::stoul(range.substr(6));
      const std::string said =
          fmt::format("bytes {}-{}/{}", start, blob->second.size() - 1, blob->second.size());
      return reply(206, {{"Content-Range", said}}, blob->second.substr(start));
    }
    return reply(200, {{"Docker-Content-Digest", digest}}, blob->second);
  }

  net::HttpResponse answer_upload(
      const net::HttpRequest& request,
      const net::Url& url,
      const std::string& repository,
      const std::string& id) {
    if (request.method == "POST") {
      return begin_upload(url, repository);
    }
    const auto upload = uploads_.find(id);
    if (upload == uploads_.end()) {
      return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    }
    if (request.method == "DELETE") {
      uploads_.erase(upload);
      return reply(204);
    }
    upload->second += request.body;
    if (request.method != "PUT") {
      const int status = request.method == "GET" ? 204 : 202;
      return reply(
          status,
          {{"Location", url.path}, {"Range", fmt::format("0-{}", upload->second.size() - 1)}});
    }
    const std::string digest = parameter(url, "digest");
    if (!Digest::parse(digest) || !Digest::parse(digest)->is_of(upload->second)) {
      return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    }
    repositories[repository].blobs[digest] = std::move(upload->second);
    uploads_.erase(upload);
    return reply(201, {{"Docker-Content-Digest", digest}});
  }

  net::HttpResponse begin_upload(const net::Url& url, const std::string& repository) {
    const std::string digest = parameter(url, "mount");
    const auto& from = repositories[parameter(url, "from")].blobs;
    if (mounts && !digest.empty() && from.contains(digest)) {
      repositories[repository].blobs[digest] = from.at(digest);
      return reply(201, {{"Docker-Content-Digest", digest}});
    }
    const std::string id = "u" + std::to_string(++next_upload_);
    uploads_[id];
    return reply(202, {{"Location", fmt::format("/v2/{}/blobs/uploads/{}", repository, id)}});
  }

  net::HttpResponse answer_manifest(
      const net::HttpRequest& request,
      const std::string& repository,
      const std::string& reference) {
    Repository& place = repositories[repository];
    if (request.method == "PUT") {
      return put_manifest(request, repository, reference);
    }
    const auto tag = place.tags.find(reference);
    if (request.method == "DELETE" && tag != place.tags.end()) {
      place.tags.erase(tag);
      return reply(202);
    }
    const auto found = place.manifests.find(tag != place.tags.end() ? tag->second : reference);
    if (found == place.manifests.end()) {
      return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown");
    }
    const Descriptor& descriptor = found->second.descriptor;
    return reply(
        200,
        {{"Content-Type", descriptor.media_type},
         {"Docker-Content-Digest", descriptor.digest.to_string()}},
        found->second.bytes);
  }

  net::HttpResponse put_manifest(
      const net::HttpRequest& request,
      const std::string& repository,
      const std::string& reference) {
    const std::string type = request.headers.find("Content-Type").value_or("");
    std::string bytes = request.body;
    if (manifests_to_garble > 0) {
      --manifests_to_garble;
      bytes += " ";
    }
    const ParsedManifest parsed = parse_manifest(bytes, type);
    const Repository& place = repositories[repository];
    std::vector<ManifestEntry> blobs = parsed.layers;
    if (parsed.config) {
      blobs.push_back(*parsed.config);
    }
    for (const ManifestEntry& entry : blobs) {
      if (!entry.is_foreign && !place.blobs.contains(entry.descriptor.digest.to_string())) {
        return refusal(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
      }
    }
    for (const ManifestEntry& entry : parsed.manifests) {
      if (!place.manifests.contains(entry.descriptor.digest.to_string())) {
        return refusal(400, "MANIFEST_BLOB_UNKNOWN", "manifest unknown to registry");
      }
    }
    const bool is_tag = !Digest::parse(reference);
    const Manifest kept = add_manifest(repository, bytes, type, is_tag ? reference : "");
    const std::string digest = kept.descriptor.digest.to_string();
    net::HttpHeaders headers{{"Docker-Content-Digest", digest}};
    if (parsed.subject && has_referrers_api) {
      headers.add("OCI-Subject", parsed.subject->digest.to_string());
    }
    return reply(201, std::move(headers));
  }

  net::HttpResponse answer_referrers(const std::string& repository, const std::string& subject) {
    if (!has_referrers_api) {
      return reply(404, {{"Content-Type", "text/plain"}}, "404 page not found");
    }
    std::vector<ManifestEntry> entries;
    for (const auto& [digest, manifest] : repositories[repository].manifests) {
      const ParsedManifest parsed = parse_manifest(manifest.bytes, manifest.descriptor.media_type);
      if (parsed.subject && parsed.subject->digest.to_string() == subject) {
        entries.push_back(ManifestEntry{manifest.descriptor});
      }
    }
    for (const Descriptor& extra : also_listed[subject]) {
      entries.push_back(ManifestEntry{extra});
    }
    const Manifest index = make_index(entries);
    return reply(200, {{"Content-Type", index.descriptor.media_type}}, index.bytes);
  }

  std::map<std::string, std::string> uploads_;
  int next_upload_ = 0;
};

}  // namespace freshet::oci::testing
