// SPDX-License-Identifier: Apache-2.0
// Asio is compiled once, here; every other source only sees its declarations.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
