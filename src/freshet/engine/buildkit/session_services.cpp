// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/session_services.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <charconv>

namespace freshet::engine {
namespace {

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

std::string_view view(grpc::string_ref text) {
  return {text.data(), text.size()};
}

std::string query_unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const char* end = text.data() + i + 3;
      if (std::from_chars(text.data() + i + 1, end, value, 16).ptr == end) {
        out += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    out += text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

std::vector<std::string> values_of(const Metadata& metadata, const std::string& key) {
  const auto flag = metadata.find(key + "-encoded");
  const bool is_encoded = flag != metadata.end() && flag->second == "1";
  std::vector<std::string> out;
  const auto [first, last] = metadata.equal_range(key);
  for (auto it = first; it != last; ++it) {
    out.push_back(is_encoded ? query_unescape(view(it->second)) : std::string(view(it->second)));
  }
  return out;
}

}  // namespace

void FirstFailure::set(Error error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) {
    failure_ = std::move(error);
  }
}

std::optional<Error> FirstFailure::get() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

FileFilter filter_from(const Metadata& metadata) {
  FileFilter filter;
  filter.follow_paths = values_of(metadata, "followpaths");
  filter.include_patterns = values_of(metadata, "include-patterns");
  filter.exclude_patterns = values_of(metadata, "exclude-patterns");
  return filter;
}

std::string registry_of(std::string_view host) {
  if (host == "registry-1.docker.io" || host == "index.docker.io" || host == "auth.docker.io") {
    return "docker.io";
  }
  return std::string(host);
}

grpc::Status FileSyncService::DiffCopy(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<fsutil::types::Packet, fsutil::types::Packet>* stream) {
  const Metadata& metadata = context->client_metadata();
  const std::vector<std::string> names = values_of(metadata, "dir-name");
  const auto tree = names.empty() ? content_.trees.end() : content_.trees.find(names.front());
  if (tree == content_.trees.end()) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "there is no such directory");
  }
  TransferCount& sent = tree->first == "context" ? context_sent_ : other_sent_;
  engine::DiffCopy copy(*stream, *tree->second, filter_from(metadata), sent);
  const grpc::Status status = copy.serve();
  if (copy.failure()) {
    failure_.set(*copy.failure());
  }
  return status;
}

grpc::Status AuthService::Credentials(
    grpc::ServerContext*,
    const moby::filesync::v1::CredentialsRequest* request,
    moby::filesync::v1::CredentialsResponse* response) {
  if (!content_.credentials) {
    return grpc::Status::OK;  // empty fields: anonymous
  }
  try {
    const auto found = content_.credentials(registry_of(request->host()));
    if (found) {
      response->set_username(found->username);
      response->set_secret(std::string(found->password.reveal()));
    }
    return grpc::Status::OK;
  } catch (const std::exception&) {
    return grpc::Status(
        grpc::StatusCode::UNAVAILABLE, "the credentials of this registry cannot be read");
  }
}

grpc::Status HealthService::Check(
    grpc::ServerContext*,
    const grpc::health::v1::HealthCheckRequest*,
    grpc::health::v1::HealthCheckResponse* response) {
  response->set_status(grpc::health::v1::HealthCheckResponse::SERVING);
  return grpc::Status::OK;
}

}  // namespace freshet::engine
