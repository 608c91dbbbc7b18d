// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/base/secret.hpp"

namespace freshet::store {

/// The sealing key in `path`; makes it (random, mode 0600) when there is none. The caller holds the
/// lock of the data directory, so that two first starts agree on one key.
/// Throws: corrupt_data when the file is not a key.
Secret load_or_make_key(const fs::path& path);

}  // namespace freshet::store
