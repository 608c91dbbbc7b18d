// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/net/byte_stream.hpp"
#include "freshet/oci/digest.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace freshet::oci {

/// The same bytes; at their end `read` throws corrupt_data when they are not those of `expected`.
/// `what` begins the message: `the engine's export`.
std::unique_ptr<net::ByteStream> verified(
    std::unique_ptr<net::ByteStream> stream, Digest expected, std::string what);

/// corrupt_data: `what` gave the wrong bytes for a layer.
Error wrong_layer(std::string_view what, const Digest& expected, const Digest& found);

}  // namespace freshet::oci
