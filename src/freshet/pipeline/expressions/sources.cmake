# SPDX-License-Identifier: Apache-2.0
list(APPEND FRESHET_PIPELINE_LANGUAGE_SOURCES
  expressions/exports.cpp
  expressions/git_variables.cpp
  expressions/interpolation.cpp
  expressions/variables.cpp)
list(APPEND FRESHET_PIPELINE_LANGUAGE_TESTS
  expressions/exports_test.cpp
  expressions/git_variables_test.cpp
  expressions/interpolation_test.cpp
  expressions/variables_test.cpp)
