# SPDX-License-Identifier: Apache-2.0
# The program that runs in containers, and a library that holds it as bytes.
set(FRESHET_RECLAIM_PROGRAM "${CMAKE_CURRENT_BINARY_DIR}/reclaim")

add_executable(freshet_reclaim run/reclaim/program.cpp run/reclaim/ownership.cpp)
set_target_properties(freshet_reclaim PROPERTIES
  OUTPUT_NAME reclaim
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
target_include_directories(freshet_reclaim PRIVATE "${CMAKE_SOURCE_DIR}/src")
target_link_libraries(freshet_reclaim PRIVATE freshet_warnings)
target_compile_options(freshet_reclaim PRIVATE -Os -g0 -fno-exceptions -fno-rtti)
# Its image is this file and nothing else.
target_link_options(freshet_reclaim PRIVATE -static -s)
if(FRESHET_SANITIZERS)
  target_compile_options(freshet_reclaim PRIVATE -fno-sanitize=all)
  target_link_options(freshet_reclaim PRIVATE -fno-sanitize=all)
endif()

configure_file(run/reclaim/program.s.in "${CMAKE_CURRENT_BINARY_DIR}/reclaim_program.s" @ONLY)
set_source_files_properties("${CMAKE_CURRENT_BINARY_DIR}/reclaim_program.s" PROPERTIES
  OBJECT_DEPENDS "${FRESHET_RECLAIM_PROGRAM}")
add_library(freshet_reclaim_program STATIC "${CMAKE_CURRENT_BINARY_DIR}/reclaim_program.s")
add_dependencies(freshet_reclaim_program freshet_reclaim)
