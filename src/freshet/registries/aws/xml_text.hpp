// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::registries::aws {

/// The text of the first element of an XML document that `path` names: its own name last, those of
/// the elements right around it before. nullopt when there is none or the document is malformed.
///
/// Knows elements, text, comments and the five predefined entities; refuses document types, so that
/// nothing can be defined or loaded, and more than 32 levels.
std::optional<std::string> find_xml_text(
    std::string_view xml, std::initializer_list<std::string_view> path);

}  // namespace freshet::registries::aws
