// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/commands/registry_push_mode.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cli/json_output.hpp"

#include <fmt/format.h>

#include <string_view>

namespace freshet::cli {
namespace {

std::string_view meaning_of(model::PushMode mode) {
  switch (mode) {
    case model::PushMode::automatic:
      return "are pushed to the default registry";
    case model::PushMode::explicit_only:
      return "are an error: name a 'registry', or write 'disable_push: true'";
    case model::PushMode::never:
      return "are not pushed, unless the step says 'disable_push: false'";
  }
  return {};
}

}  // namespace

int change_push_mode(Runtime& runtime, const std::string& mode, bool as_json) {
  if (!mode.empty()) {
    const auto wanted = model::push_mode_from_string(mode);
    if (!wanted) {
      throw Error(
          ErrorCode::invalid_input, fmt::format("'{}' is not a push mode", printable(mode, 100)))
          .with_hint("known are: auto, explicit, never");
    }
    runtime.integrations().set_push_mode(*wanted);
  }
  const model::PushMode now = runtime.integrations().push_mode();
  if (as_json) {
    print_json({{"push_mode", model::to_string(now)}});
  } else {
    fmt::print(
        "{}: images of build steps that name no registry {}\n",
        model::to_string(now),
        meaning_of(now));
  }
  return 0;
}

}  // namespace freshet::cli
