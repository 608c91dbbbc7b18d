# SPDX-License-Identifier: Apache-2.0
list(APPEND FRESHET_PIPELINE_SOURCES
  checks/registry_checks.cpp)
list(APPEND FRESHET_PIPELINE_TESTS
  checks/registry_checks_test.cpp)
