// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/oci/reference.hpp"

#include <cstdint>
#include <string_view>

using freshet::oci::Reference;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  freshet::oci::canonical_domain(text);
  try {
    const Reference reference = Reference::parse(text);
    FRESHET_ASSERT(freshet::oci::is_valid_domain(reference.domain));
    FRESHET_ASSERT(freshet::oci::is_valid_repository_path(reference.path));
    FRESHET_ASSERT(reference.tag.empty() || freshet::oci::is_valid_tag(reference.tag));
    FRESHET_ASSERT(Reference::parse(reference.to_string()) == reference);
  } catch (const freshet::Error& error) {
    FRESHET_ASSERT(error.code() == freshet::ErrorCode::invalid_input);
  }
  return 0;
}
