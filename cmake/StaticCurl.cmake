# SPDX-License-Identifier: Apache-2.0
# libcurl from its archive. Debian's speaks two dozen protocols, for which the shared one loads as
# many libraries; Freshet allows it http and https alone (net/curl_transfer.cpp). What the archive
# calls in libraries of the others is answered by stubs, made here from the archive's own list: so
# they fit the libcurl that is there. Where any of this does not work out, libcurl stays shared.

set(freshet_curl_unused "^(ber|gss|GSS|ldap|libssh2|psl|RTMP)_")
set(freshet_curl_unused_libraries "^lib(gssapi_krb5|lber|ldap.*|psl|rtmp|ssh2|c)\\.")

# The libraries that the shared one needs, without those of the forbidden protocols; full paths.
function(freshet_list_curl_libraries out shared)
  execute_process(COMMAND "${CMAKE_OBJDUMP}" -p "${shared}" OUTPUT_VARIABLE headers ERROR_QUIET)
  string(REGEX MATCHALL "NEEDED +[^\n]+" needed "${headers}")
  get_filename_component(folder "${shared}" REALPATH)
  get_filename_component(folder "${folder}" DIRECTORY)
  set(libraries)
  foreach(line IN LISTS needed)
    string(REGEX REPLACE "NEEDED +" "" name "${line}")
    if(NOT name MATCHES "${freshet_curl_unused_libraries}")
      list(APPEND libraries "${folder}/${name}")
    endif()
  endforeach()
  set(${out} "${libraries}" PARENT_SCOPE)
endfunction()

# Starting and naming a library that is not there succeeds; nothing else of it is ever called.
function(freshet_write_curl_stubs file archive)
  execute_process(COMMAND "${CMAKE_NM}" -u "${archive}" OUTPUT_VARIABLE listing ERROR_QUIET)
  string(REGEX MATCHALL "[A-Za-z0-9_]+" words "${listing}")
  list(REMOVE_DUPLICATES words)
  list(FILTER words INCLUDE REGEX "${freshet_curl_unused}")
  set(source "// Made by cmake/StaticCurl.cmake.\n")
  foreach(name IN LISTS words)
    if(name MATCHES "_(init|exit|version|get_version|get_option)$")
      string(APPEND source "void* ${name}(void) { return 0; }\n")
    else()
      string(APPEND source "void ${name}(void) { __builtin_trap(); }\n")
    endif()
  endforeach()
  file(CONFIGURE OUTPUT "${file}" CONTENT "${source}" @ONLY)
endfunction()

# freshet_link_curl(target): `target` brings libcurl.
function(freshet_link_curl target)
  get_target_property(shared CURL::libcurl IMPORTED_LOCATION)
  if(NOT shared)
    get_target_property(shared CURL::libcurl IMPORTED_LOCATION_RELEASE)
  endif()
  string(REGEX REPLACE "\\.so$" ".a" archive "${shared}")
  if(FRESHET_LINK_ARCHIVES AND CMAKE_OBJDUMP AND CMAKE_NM AND EXISTS "${archive}")
    set(stubs "${CMAKE_BINARY_DIR}/curl_stubs.c")
    freshet_list_curl_libraries(libraries "${shared}")
    freshet_write_curl_stubs("${stubs}" "${archive}")
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/curl_probe.c" @ONLY CONTENT
      "extern int curl_global_init(long); int main(void) { return curl_global_init(3); }\n")
    try_compile(works
      SOURCES "${CMAKE_BINARY_DIR}/curl_probe.c" "${stubs}"
      LINK_LIBRARIES "${archive}" ${libraries} Threads::Threads
      NO_CACHE)
  endif()
  if(works)
    add_library(freshet_curl_stubs STATIC "${stubs}")
    target_link_libraries(${target} INTERFACE "${archive}" freshet_curl_stubs ${libraries})
  else()
    message(STATUS "libcurl is linked shared")
    target_link_libraries(${target} INTERFACE CURL::libcurl)
  endif()
endfunction()
