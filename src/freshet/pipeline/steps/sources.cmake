# SPDX-License-Identifier: Apache-2.0
list(APPEND FRESHET_PIPELINE_SOURCES
  steps/build.cpp
  steps/build_progress.cpp
  steps/freestyle.cpp
  steps/git_clone.cpp
  steps/image_source.cpp
  steps/publish.cpp
  steps/push.cpp
  steps/script.cpp
  steps/targets.cpp)
list(APPEND FRESHET_PIPELINE_TESTS
  steps/build_progress_test.cpp
  steps/image_source_test.cpp
  steps/script_test.cpp)
