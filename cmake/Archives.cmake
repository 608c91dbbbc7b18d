# SPDX-License-Identifier: Apache-2.0
# Libraries are linked from their archives where these are installed: as shared ones they are about
# ninety, and to load them took most of the time of a short command. OpenSSL stays shared, so that
# the system's updates of it count, and so do the few that libcurl needs beside it.
option(FRESHET_LINK_ARCHIVES "Link gRPC, SQLite, libcurl and the like from their archives" ON)
if(FRESHET_SANITIZERS)
  # Their checks of types and definitions would reach into code that was not built for them.
  set(FRESHET_LINK_ARCHIVES OFF)
endif()

# Sets `out` to `libraries` with the archive beside each shared library; all of them or none, as two
# copies of one library in a process would not know of each other.
function(freshet_find_archives out)
  set(found)
  foreach(library IN LISTS ARGN)
    string(REGEX REPLACE "\\.so$" ".a" archive "${library}")
    if(NOT library MATCHES "/lib(ssl|crypto|z)\\.so$" AND EXISTS "${archive}")
      list(APPEND found "${archive}")
    elseif(library MATCHES "/lib(ssl|crypto|z)\\.so$" OR NOT library MATCHES "^/")
      list(APPEND found "${library}")
    else()
      message(STATUS "No archive beside ${library}: linked shared")
      set(${out} "${ARGN}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# freshet_link_closely(target libraries ...): `target` brings these, which need each other: full
# paths, or targets of pkg-config.
function(freshet_link_closely target)
  set(libraries)
  foreach(library IN LISTS ARGN)
    if(TARGET "${library}")
      get_target_property(library "${library}" INTERFACE_LINK_LIBRARIES)
    endif()
    list(APPEND libraries ${library})
  endforeach()
  list(REMOVE_DUPLICATES libraries)
  if(FRESHET_LINK_ARCHIVES)
    freshet_find_archives(libraries ${libraries})
  endif()
  set(archives ${libraries})
  list(FILTER archives INCLUDE REGEX "^/.*\\.a$")
  list(FILTER libraries EXCLUDE REGEX "^/.*\\.a$")
  if(archives)
    string(REPLACE ";" "," archives "${archives}")
    target_link_libraries(${target} INTERFACE "$<LINK_GROUP:RESCAN,${archives}>")
  endif()
  target_link_libraries(${target} INTERFACE ${libraries})
endfunction()

# freshet_take_archives(targets ...): these imported targets link the archive beside their shared
# library; sets FRESHET_TOOK_ARCHIVES to whether all do.
function(freshet_take_archives)
  set(FRESHET_TOOK_ARCHIVES "${FRESHET_LINK_ARCHIVES}" PARENT_SCOPE)
  foreach(target IN LISTS ARGN)
    get_target_property(configurations ${target} IMPORTED_CONFIGURATIONS)
    if(NOT configurations)
      set(FRESHET_TOOK_ARCHIVES OFF PARENT_SCOPE)
      continue()
    endif()
    foreach(configuration IN LISTS configurations)
      get_target_property(shared ${target} IMPORTED_LOCATION_${configuration})
      string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${shared}")
      if(FRESHET_LINK_ARCHIVES AND EXISTS "${archive}")
        set_target_properties(${target} PROPERTIES IMPORTED_LOCATION_${configuration} "${archive}")
      else()
        set(FRESHET_TOOK_ARCHIVES OFF PARENT_SCOPE)
      endif()
    endforeach()
  endforeach()
endfunction()
