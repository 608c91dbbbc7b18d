// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace freshet::engine {

/// Ignore files and COPY sources travel as metadata, error details as trailers; gRPC's own limit of
/// 8 KiB cuts both off.
inline constexpr int k_max_metadata_bytes = 4 * 1024 * 1024;

/// The limit of current daemons for one message.
inline constexpr int k_max_message_bytes = 16 * 1024 * 1024;

}  // namespace freshet::engine
