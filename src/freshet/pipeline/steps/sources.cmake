# SPDX-License-Identifier: Apache-2.0
list(APPEND FRESHET_PIPELINE_SOURCES
  steps/base_images.cpp
  steps/build.cpp
  steps/build_context.cpp
  steps/build_explain.cpp
  steps/build_index.cpp
  steps/build_key.cpp
  steps/build_plan.cpp
  steps/build_skip.cpp
  steps/build_logins.cpp
  steps/build_progress.cpp
  steps/built_before.cpp
  steps/cache_sources.cpp
  steps/cached_build.cpp
  steps/destination.cpp
  steps/engine_push.cpp
  steps/freestyle.cpp
  steps/git_clone.cpp
  steps/image_records.cpp
  steps/image_source.cpp
  steps/pinned_image.cpp
  steps/publish.cpp
  steps/pull.cpp
  steps/push.cpp
  steps/registry_image.cpp
  steps/registry_load.cpp
  steps/script.cpp
  steps/watched_source.cpp)
list(APPEND FRESHET_PIPELINE_TESTS
  steps/base_images_test.cpp
  steps/build_progress_test.cpp
  steps/cache_sources_test.cpp
  steps/engine_push_test.cpp
  steps/image_source_test.cpp
  steps/registry_image_test.cpp
  steps/script_test.cpp
  steps/watched_source_test.cpp)
