// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/engine/docker/endpoint.hpp"

#include <boost/system/error_code.hpp>

#include <string_view>

namespace freshet::engine {

/// Nobody listens at `endpoint`, or we may not speak to who does.
Error no_engine(const Endpoint& endpoint, const boost::system::error_code& cause);
/// Did the other side end the connection by a TLS alert?
bool is_tls_alert(const boost::system::error_code& code);
/// The TLS handshake failed, or the engine refused what we showed in it (which it may say later).
Error tls_refused(const Endpoint& endpoint, const boost::system::error_code& cause);
/// The connection ended before the answer did; `cause` may be none.
Error went_away(const boost::system::error_code& cause);
/// What listens at `endpoint` speaks no HTTP, or its JSON is none. `action` as in `refused`.
Error malformed_answer(const Endpoint& endpoint, std::string_view action);
/// The engine's oldest API version is newer than our newest.
Error engine_too_new(const Endpoint& endpoint, std::string_view minimum);
/// The engine's newest API version is older than our oldest.
Error engine_too_old(const Endpoint& endpoint, std::string_view maximum);

/// The engine answered `status` (300 or above) with `body`.
///
/// `action` is what was asked for, as after "could not": `start container 'x'`. `subject` is the
/// thing that is missing when the engine says so: `container 'x'`.
Error refused(
    std::string_view action, std::string_view subject, unsigned status, std::string_view body);

/// The engine's words in the body of an error answer: its `message`, else all of it.
std::string message_in(std::string_view body);

}  // namespace freshet::engine
