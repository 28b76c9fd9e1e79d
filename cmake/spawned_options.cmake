# Compiler flags of this project's own code. Linked PRIVATE everywhere and never exported, so a
# consumer inherits neither our warnings nor our sanitizers.
add_library(spawned_options INTERFACE)

# As a part of another project we stay quiet: its compiler may warn about what ours never did.
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(spawned_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
    -Wold-style-cast -Wcast-align -Wundef
    # g++ 12 takes every `"text" + string` at -O3 for an overlapping copy (its bug 105329).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
    $<$<BOOL:${SPAWNED_WARNINGS_AS_ERRORS}>:-Werror>)
  if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    find_program(SPAWNED_CCACHE ccache)
    mark_as_advanced(SPAWNED_CCACHE)
    if(SPAWNED_CCACHE)
      set(CMAKE_CXX_COMPILER_LAUNCHER ${SPAWNED_CCACHE})
    endif()
  endif()
endif()

if(SPAWNED_SANITIZERS)
  target_compile_options(spawned_options INTERFACE
    -fsanitize=${SPAWNED_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(spawned_options INTERFACE -fsanitize=${SPAWNED_SANITIZERS})
endif()
