// SPDX-License-Identifier: Apache-2.0
// Beast is compiled once, here; every other source only sees its declarations.
#include <boost/beast/src.hpp>
