include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(modules GLOBAL PROPERTY SPAWNED_MODULES)
set(targets ${modules})
list(TRANSFORM targets PREPEND spawned_)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/spawned)
install(TARGETS ${targets} EXPORT spawnedTargets FILE_SET HEADERS)
install(TARGETS spawned_simulation_interpose EXPORT spawnedTargets
  OBJECTS DESTINATION ${CMAKE_INSTALL_LIBDIR}/spawned)
install(EXPORT spawnedTargets NAMESPACE spawned:: DESTINATION ${config_dir})
configure_package_config_file(cmake/spawnedConfig.cmake.in ${PROJECT_BINARY_DIR}/spawnedConfig.cmake
  INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/spawnedConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/spawnedConfig.cmake ${PROJECT_BINARY_DIR}/spawnedConfigVersion.cmake
  DESTINATION ${config_dir})

# pkg-config: dependents before what they depend on, as a static link wants them.
set(pkg_libs "")
set(pkg_private "")
foreach(target IN LISTS targets)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    list(PREPEND pkg_libs -l${target})
  endif()
endforeach()
list(TRANSFORM CMAKE_DL_LIBS PREPEND -l OUTPUT_VARIABLE dl_libs)
if(BUILD_SHARED_LIBS)
  set(pkg_private ${dl_libs})
else()
  list(APPEND pkg_libs ${dl_libs})
endif()
list(JOIN pkg_libs " " pkg_libs)
list(JOIN pkg_private " " pkg_private)
# Relative to the file itself, so that an installed tree can be moved.
cmake_path(SET pkg_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${pkg_dir} OUTPUT_VARIABLE pkg_up)
cmake_path(APPEND pkg_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND pkg_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(cmake/spawned.pc.in ${PROJECT_BINARY_DIR}/spawned.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/spawned.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
