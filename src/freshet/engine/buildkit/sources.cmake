# SPDX-License-Identifier: Apache-2.0
# The generated stubs are a library of their own: they know neither our warnings nor our headers.
set(proto_out "${CMAKE_BINARY_DIR}/generated")
set(proto_dir freshet/engine/buildkit/proto)
set(proto_sources)
foreach(name control filesync fsutil gateway health status)
  set(stem "${proto_out}/${proto_dir}/${name}")
  set(outputs "${stem}.pb.cc" "${stem}.pb.h" "${stem}.grpc.pb.cc" "${stem}.grpc.pb.h")
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${proto_out}"
    COMMAND "${PROTOC}"
      "-I${CMAKE_SOURCE_DIR}/src" "--cpp_out=${proto_out}" "--grpc_out=${proto_out}"
      "--plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN}" "${proto_dir}/${name}.proto"
    DEPENDS "${CMAKE_SOURCE_DIR}/src/${proto_dir}/${name}.proto"
    COMMENT "Generating ${name}.proto"
    VERBATIM)
  list(APPEND proto_sources ${outputs})
endforeach()
add_library(freshet_buildkit_proto STATIC ${proto_sources})
target_include_directories(freshet_buildkit_proto SYSTEM PUBLIC "${proto_out}")
target_link_libraries(freshet_buildkit_proto PUBLIC freshet_grpc)

list(APPEND engine_sources
  buildkit/blocking_call.cpp
  buildkit/build_error.cpp
  buildkit/build_run.cpp
  buildkit/builder.cpp
  buildkit/control_channel.cpp
  buildkit/diff_copy.cpp
  buildkit/dockerfile_source.cpp
  buildkit/image_config.cpp
  buildkit/session.cpp
  buildkit/session_id.cpp
  buildkit/session_server.cpp
  buildkit/session_services.cpp
  buildkit/solve_request.cpp
  buildkit/status_stream.cpp
  buildkit/tunnel.cpp)
list(APPEND engine_tests
  buildkit/blocking_call_test.cpp
  buildkit/build_error_test.cpp
  buildkit/diff_copy_test.cpp
  buildkit/dockerfile_source_test.cpp
  buildkit/real_build_failure_test.cpp
  buildkit/real_build_test.cpp
  buildkit/session_id_test.cpp
  buildkit/session_services_test.cpp
  buildkit/solve_request_test.cpp
  buildkit/status_stream_test.cpp
  buildkit/testing/fake_builder.cpp
  testing/real_engine.cpp)
list(APPEND engine_uses freshet_buildkit_proto)
