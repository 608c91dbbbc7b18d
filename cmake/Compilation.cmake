# SPDX-License-Identifier: Apache-2.0
# How our own code is compiled. Third-party code (generated gRPC stubs) does not link these targets.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

set(FRESHET_SANITIZERS "" CACHE STRING "Sanitizers, as in -fsanitize=")
option(FRESHET_FUZZ "Build the programs of tests/fuzz with libFuzzer (clang only)" OFF)
option(FRESHET_TIDY "Run clang-tidy with the compiler" OFF)
option(FRESHET_PRECOMPILED_HEADERS "Precompile the headers that most sources share" ON)

find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers carry macro definitions and time stamps that ccache has to be told to accept.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${CCACHE}")
endif()

add_library(freshet_compilation INTERFACE)
target_include_directories(freshet_compilation INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_definitions(freshet_compilation INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED
  BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_BEAST_USE_STD_STRING_VIEW
  FRESHET_VERSION="${PROJECT_VERSION}")
# The libraries of the precompiled headers: their definitions must be the same everywhere.
target_link_libraries(freshet_compilation INTERFACE Boost::json freshet_fmt Threads::Threads)

add_library(freshet_warnings INTERFACE)
target_compile_options(freshet_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion
  -Wno-sign-conversion  # sizes of std containers meet signed offsets of POSIX everywhere
  -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these from inside coroutine frames and the std::string of its own library.
  target_compile_options(freshet_warnings INTERFACE
    -Wno-maybe-uninitialized -Wno-restrict -Wno-mismatched-new-delete
    -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  target_compile_options(freshet_compilation INTERFACE -fpch-preprocess)
  if(FRESHET_SANITIZERS STREQUAL "thread")
    target_compile_options(freshet_warnings INTERFACE -Wno-tsan)  # Asio's fences, which it cannot see
  endif()
endif()

if(FRESHET_SANITIZERS)
  add_compile_options("-fsanitize=${FRESHET_SANITIZERS}" -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${FRESHET_SANITIZERS}")
endif()

if(FRESHET_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(FRESHET_TIDY)
  find_program(CLANG_TIDY NAMES clang-tidy-16 clang-tidy REQUIRED)
  list(APPEND CLANG_TIDY --extra-arg=-Wno-unknown-warning-option)  # it reads GCC's flags
endif()
