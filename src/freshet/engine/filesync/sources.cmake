# SPDX-License-Identifier: Apache-2.0
list(APPEND engine_sources
  filesync/attributes.cpp
  filesync/beneath.cpp
  filesync/directory.cpp
  filesync/entry.cpp
  filesync/file_tree.cpp
  filesync/follow_paths.cpp
  filesync/path_table.cpp
  filesync/pattern.cpp
  filesync/selection.cpp
  filesync/walker.cpp)
list(APPEND engine_tests
  filesync/entry_test.cpp
  filesync/file_tree_test.cpp
  filesync/follow_paths_test.cpp
  filesync/path_table_test.cpp
  filesync/pattern_test.cpp
  filesync/selection_test.cpp
  filesync/walker_test.cpp)
list(APPEND engine_uses freshet_sodium)
