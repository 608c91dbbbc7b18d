// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/yaml/field_reader.hpp"
#include "freshet/pipeline/yaml/findings.hpp"
#include "freshet/pipeline/yaml/pipeline.hpp"

namespace freshet::pipeline {

/// The fields that belong to one step type. What is wrong goes to `findings`; the result is then
/// incomplete and must not be used.
GitCloneStep parse_git_clone(FieldReader& fields, Findings& findings);
BuildStep parse_build(FieldReader& fields, Findings& findings);
PushStep parse_push(FieldReader& fields, Findings& findings);
FreestyleStep parse_freestyle(FieldReader& fields, Findings& findings);

}  // namespace freshet::pipeline
