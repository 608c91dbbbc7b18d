# SPDX-License-Identifier: Apache-2.0
list(APPEND FRESHET_PIPELINE_LANGUAGE_SOURCES
  yaml/boolean.cpp
  yaml/document.cpp
  yaml/field_reader.cpp
  yaml/pipeline.cpp
  yaml/scalars.cpp
  yaml/step_bodies.cpp
  yaml/step_parser.cpp
  yaml/syntax.cpp
  yaml/tree_builder.cpp
  yaml/vocabulary.cpp)
list(APPEND FRESHET_PIPELINE_LANGUAGE_TESTS
  yaml/boolean_test.cpp
  yaml/document_test.cpp
  yaml/pipeline_test.cpp
  yaml/samples_test.cpp
  yaml/scalars_test.cpp
  yaml/step_bodies_test.cpp)
list(APPEND FRESHET_PIPELINE_LANGUAGE_USES yaml-cpp)
