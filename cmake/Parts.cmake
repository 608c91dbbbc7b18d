# SPDX-License-Identifier: Apache-2.0
# One static library a part, its unit tests in one program beside it.

# The headers that nearly every source pulls in, compiled once for the whole tree.
function(freshet_precompile target)
  if(NOT FRESHET_PRECOMPILED_HEADERS)
    return()
  endif()
  if(NOT TARGET freshet_pch)
    file(WRITE "${CMAKE_BINARY_DIR}/freshet_pch.cpp" "// Owns the precompiled headers.\n")
    add_library(freshet_pch OBJECT "${CMAKE_BINARY_DIR}/freshet_pch.cpp")
    target_link_libraries(freshet_pch PRIVATE freshet_compilation freshet_warnings)
    target_precompile_headers(freshet_pch PRIVATE
      <algorithm> <chrono> <filesystem> <functional> <map> <memory> <optional> <string>
      <string_view> <variant> <vector> <fmt/format.h> <boost/asio.hpp> <boost/json.hpp>
      <boost/asio/experimental/awaitable_operators.hpp>)
    add_library(freshet_test_pch OBJECT "${CMAKE_BINARY_DIR}/freshet_pch.cpp")
    target_link_libraries(freshet_test_pch PRIVATE freshet_compilation freshet_warnings GTest::gmock)
    target_precompile_headers(freshet_test_pch PRIVATE
      <algorithm> <chrono> <filesystem> <functional> <map> <memory> <optional> <string>
      <string_view> <variant> <vector> <fmt/format.h> <boost/asio.hpp> <boost/json.hpp>
      <boost/asio/experimental/awaitable_operators.hpp> <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  if(ARGN)
    target_precompile_headers(${target} REUSE_FROM freshet_test_pch)
  else()
    target_precompile_headers(${target} REUSE_FROM freshet_pch)
  endif()
endfunction()

# freshet_part(name SOURCES ... TESTS ... USES other parts and libraries)
function(freshet_part name)
  cmake_parse_arguments(part "" "" "SOURCES;TESTS;USES" ${ARGN})
  add_library(freshet_${name} STATIC ${part_SOURCES})
  target_link_libraries(freshet_${name}
    PUBLIC freshet_compilation ${part_USES}
    PRIVATE freshet_warnings)
  freshet_precompile(freshet_${name})
  if(FRESHET_TIDY)
    set_target_properties(freshet_${name} PROPERTIES CXX_CLANG_TIDY "${CLANG_TIDY}")
  endif()
  if(part_TESTS)
    add_executable(${name}_test ${part_TESTS})
    target_link_libraries(${name}_test PRIVATE freshet_${name} freshet_warnings GTest::gmock GTest::gmock_main)
    freshet_precompile(${name}_test test)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()
