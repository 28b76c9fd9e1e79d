# Sets SPAWNED_MIMALLOC_SONAME, empty for the system's malloc.
#
# Linking libmimalloc.so would replace malloc in the whole program that embeds us. Only its name is
# taken here; the runtime opens it at run time, privately, and does without it where it is absent.
if(NOT SPAWNED_ALLOCATOR MATCHES "^(mimalloc|system)$")
  message(FATAL_ERROR "SPAWNED_ALLOCATOR is '${SPAWNED_ALLOCATOR}'; allowed are mimalloc and system")
endif()

set(SPAWNED_MIMALLOC_SONAME "")
if(SPAWNED_ALLOCATOR STREQUAL "mimalloc")
  find_library(SPAWNED_MIMALLOC_LIBRARY NAMES libmimalloc.so)
  mark_as_advanced(SPAWNED_MIMALLOC_LIBRARY)
  if(SPAWNED_MIMALLOC_LIBRARY)
    execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${SPAWNED_MIMALLOC_LIBRARY}
      OUTPUT_VARIABLE dynamic_section ERROR_QUIET)
    if(dynamic_section MATCHES "SONAME +([^ \n]+)")
      set(SPAWNED_MIMALLOC_SONAME ${CMAKE_MATCH_1})
    endif()
  endif()
endif()

if(SPAWNED_MIMALLOC_SONAME)
  message(STATUS "spawned: allocator ${SPAWNED_MIMALLOC_SONAME}, opened at run time")
elseif(SPAWNED_ALLOCATOR STREQUAL "mimalloc")
  message(STATUS "spawned: allocator system (mimalloc was asked for and not found)")
else()
  message(STATUS "spawned: allocator system")
endif()
