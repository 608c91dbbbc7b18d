// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <soci/session.h>

#include <optional>
#include <string>
#include <string_view>

namespace freshet::store {

/// The id of the one record that `text` means, as `ImageStore::find` describes it; nullopt when it
/// means none or several. The first way of reading `text` that fits any record decides.
std::optional<std::string> find_image_id(soci::session& session, std::string_view text);

}  // namespace freshet::store
