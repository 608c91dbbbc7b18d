// SPDX-License-Identifier: Apache-2.0
// fmt, compiled here where Debian has it as a shared library only: with it nothing needs the shared
// standard library of C++ any more, to load which takes a quarter of the start of a process.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {
template FMT_API std::locale locale_ref::get<std::locale>() const;
template FMT_API char decimal_point_impl<char>(locale_ref);
template FMT_API thousands_sep_result<char> thousands_sep_impl<char>(locale_ref);
}  // namespace detail
FMT_END_NAMESPACE
