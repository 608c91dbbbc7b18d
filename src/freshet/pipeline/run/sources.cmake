# SPDX-License-Identifier: Apache-2.0
list(APPEND FRESHET_PIPELINE_SOURCES
  run/git.cpp
  run/recovery.cpp
  run/run_directory.cpp
  run/runner.cpp
  run/scope.cpp
  run/step_log.cpp
  run/workspace.cpp)
list(APPEND FRESHET_PIPELINE_TESTS
  run/git_test.cpp
  run/run_directory_test.cpp
  run/workspace_test.cpp)
