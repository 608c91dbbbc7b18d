# SPDX-License-Identifier: Apache-2.0
include(run/reclaim/program.cmake)
list(APPEND FRESHET_PIPELINE_USES freshet_reclaim_program)
list(APPEND FRESHET_PIPELINE_SOURCES
  run/git.cpp
  run/reclaim/image.cpp
  run/reclaim/ownership.cpp
  run/reclaim/reclaimer.cpp
  run/recovery.cpp
  run/run_directory.cpp
  run/runner.cpp
  run/scope.cpp
  run/single_flight.cpp
  run/step_log.cpp
  run/workspace.cpp)
list(APPEND FRESHET_PIPELINE_TESTS
  run/git_test.cpp
  run/reclaim/image_test.cpp
  run/reclaim/ownership_test.cpp
  run/run_directory_test.cpp
  run/single_flight_test.cpp
  run/step_log_test.cpp
  run/workspace_test.cpp)
