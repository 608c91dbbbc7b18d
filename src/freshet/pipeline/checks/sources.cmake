# SPDX-License-Identifier: Apache-2.0
list(APPEND FRESHET_PIPELINE_SOURCES
  checks/build_push.cpp
  checks/registry_checks.cpp)
list(APPEND FRESHET_PIPELINE_TESTS
  checks/build_push_test.cpp
  checks/registry_checks_test.cpp)
