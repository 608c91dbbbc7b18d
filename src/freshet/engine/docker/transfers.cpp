// SPDX-License-Identifier: Apache-2.0
// Pull and push: the engine moves the image and reports as it goes.
#include "freshet/base/text.hpp"
#include "freshet/engine/docker/client_impl.hpp"
#include "freshet/engine/docker/errors.hpp"
#include "freshet/engine/docker/json_access.hpp"
#include "freshet/engine/docker/registry_auth.hpp"
#include "freshet/engine/docker/registry_errors.hpp"
#include "freshet/engine/docker/transfer_report.hpp"

#include <fmt/format.h>

namespace freshet::engine {
namespace {

bool has_tag_or_digest(std::string_view reference) {
  const std::size_t slash = reference.rfind('/');
  const std::string_view last =
      slash == std::string_view::npos ? reference : reference.substr(slash);
  return last.find_first_of(":@") != std::string_view::npos;
}

Awaitable<void> read_report(Transport& transport, AnswerStream& stream, TransferReport& report) {
  for (;;) {
    const std::string piece = co_await transport.read_some(stream);
    if (piece.empty()) {
      report.finish();
      co_return;
    }
    report.feed(piece);
  }
}

/// Sends the request and follows its report to the end. Throws what `transfer_error` says.
Awaitable<void> follow(
    Ctx ctx,
    Transport& transport,
    EngineRequest request,
    Transfer transfer,
    TransferReport& report) {
  // What fails before the engine begins its report comes as a status, with the same texts.
  request.accepted = {401, 403, 404, 429, 500, 502, 503, 504};
  EngineAnswer answer = co_await transport.open(ctx, std::move(request));
  if (answer.status >= 300) {
    throw transfer_error(transfer, message_in(answer.body), static_cast<int>(answer.status));
  }
  const std::string what = fmt::format(
      "the {} of '{}'",
      transfer.direction == Transfer::Direction::push ? "push" : "pull",
      transfer.reference);
  co_await with_deadline(ctx, what, read_report(transport, answer.stream, report));
  transport.give_back(std::move(answer.stream));
  if (!report.failure().empty()) {
    throw transfer_error(transfer, report.failure());
  }
}

}  // namespace

Awaitable<void> DockerClient::pull_image(
    Ctx ctx, std::string reference, std::optional<RegistryAuth> auth, ProgressLine on_progress) {
  if (!has_tag_or_digest(reference)) {
    reference += ":latest";  // the engine would pull every tag there is
  }
  const std::string action = fmt::format("pull '{}'", reference);
  const Query query{{"fromImage", reference}};
  EngineRequest request = make_request("POST", with_query("/images/create", query), action, "");
  request.registry_auth = to_registry_auth_header(auth);
  Transfer transfer{Transfer::Direction::pull, reference, auth.has_value()};
  TransferReport report(std::move(on_progress));
  co_await follow(ctx, impl_->transport, std::move(request), std::move(transfer), report);
}

Awaitable<PushedImage> DockerClient::push_image(
    Ctx ctx,
    std::string repository,
    std::string tag,
    std::optional<RegistryAuth> auth,
    ProgressLine on_progress) {
  const std::string reference = repository + ":" + tag;
  const std::string action = fmt::format("push '{}'", reference);
  const Query query{{"tag", tag}};
  EngineRequest request = make_request(
      "POST",
      with_query(fmt::format("/images/{}/push", encode_path(repository)), query),
      action,
      "");
  request.registry_auth = to_registry_auth_header(auth);
  Transfer transfer{Transfer::Direction::push, reference, auth.has_value()};
  TransferReport report(std::move(on_progress));
  co_await follow(ctx, impl_->transport, std::move(request), std::move(transfer), report);
  if (report.pushed().digest.empty()) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("the Docker engine did not say under which digest it pushed '{}'", reference));
  }
  co_return report.pushed();
}

}  // namespace freshet::engine
