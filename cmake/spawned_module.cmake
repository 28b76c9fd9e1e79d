# spawned_module(<name> LAYER <n> [DEPENDS <module>...] [EXCEPT <regex>])
#
# Declares the library of one top-level folder as spawned::<name>. Public headers live in
# include/spawned/ and sources in src/; both are globbed, so a new file needs no edit here.
# A module without sources is an INTERFACE library. Sources that match EXCEPT are not part of it.
function(spawned_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LAYER;EXCEPT" "DEPENDS")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS include/*.hpp)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/*.cpp)
  if(arg_EXCEPT)
    list(FILTER sources EXCLUDE REGEX "${arg_EXCEPT}")
  endif()
  set(target spawned_${name})

  if(sources)
    set(scope PUBLIC)
    add_library(${target} ${sources})
    target_include_directories(${target} PRIVATE src)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:spawned_options>)
    set_target_properties(${target} PROPERTIES
      VERSION ${PROJECT_VERSION}
      SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
      INSTALL_RPATH $ORIGIN)  # our libraries find one another in any prefix
  else()
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  add_library(spawned::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    SPAWNED_LAYER "${arg_LAYER}"
    VERIFY_INTERFACE_HEADER_SETS "${SPAWNED_VERIFY_HEADERS}")
  target_compile_features(${target} ${scope} cxx_std_20)
  if(headers)
    target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  endif()

  list(TRANSFORM arg_DEPENDS PREPEND spawned::)
  target_link_libraries(${target} ${scope} ${arg_DEPENDS})
  set_property(GLOBAL APPEND PROPERTY SPAWNED_MODULES ${name})
endfunction()

# Fails the configure step where a module links one that is not on a strictly lower layer, however
# the link was declared. That makes a cycle between folders an error instead of a review comment.
function(spawned_check_layers)
  get_property(modules GLOBAL PROPERTY SPAWNED_MODULES)
  foreach(name IN LISTS modules)
    get_target_property(layer spawned_${name} SPAWNED_LAYER)
    foreach(property IN ITEMS LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
      get_target_property(links spawned_${name} ${property})
      foreach(dependency IN LISTS modules)
        get_target_property(below spawned_${dependency} SPAWNED_LAYER)
        if("${links}" MATCHES "spawned(::|_)${dependency}([^a-z_]|$)" AND NOT below LESS layer)
          message(FATAL_ERROR "layering: ${name} (${layer}) may not depend on ${dependency} (${below})")
        endif()
      endforeach()
    endforeach()
  endforeach()
endfunction()
