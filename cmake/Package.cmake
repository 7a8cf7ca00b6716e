# `cmake --install` and, for whoever links Bascule into a program of their own, find_package(bascule).
#
# Installed are the program, the rooms' libraries as bascule::ROOM and their public headers below include/bascule, with the
# same paths as in src/. What only tests and this program's own command line need stays here.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY BASCULE_ROOMS)
list(REMOVE_ITEM rooms sim simulator cli api)
list(TRANSFORM rooms PREPEND bascule_ OUTPUT_VARIABLE targets)
foreach(room ${rooms})
    set_target_properties(bascule_${room} PROPERTIES EXPORT_NAME ${room})
endforeach()
set_target_properties(bascule_options PROPERTIES EXPORT_NAME options)

# <bascule/event_service.h> and the like: what is written for programs that embed a bus.
target_include_directories(bascule_options INTERFACE $<INSTALL_INTERFACE:include>)

install(TARGETS ${targets} bascule_options EXPORT bascule ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/bascule)
install(EXPORT bascule NAMESPACE bascule:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/bascule)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/src/foundation ${CMAKE_SOURCE_DIR}/src/bus ${CMAKE_SOURCE_DIR}/src/household ${CMAKE_SOURCE_DIR}/src/server
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bascule
        FILES_MATCHING PATTERN "*.h" PATTERN "*_internal.h" EXCLUDE PATTERN "test_*.h" EXCLUDE PATTERN "*testing.h" EXCLUDE
        PATTERN "api" EXCLUDE)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/bascule DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TARGET bascule)
    install(TARGETS bascule RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# What the rooms look for here is looked for again where they are linked.
file(GLOB lists ${CMAKE_SOURCE_DIR}/src/*/*/CMakeLists.txt)
set(BASCULE_FIND_DEPENDENCIES "")
foreach(list ${lists})
    file(STRINGS ${list} calls REGEX "^find_package")
    list(TRANSFORM calls REPLACE "^find_package\\((.*) REQUIRED(.*)\\)$" "find_dependency(\\1\\2)")
    list(APPEND BASCULE_FIND_DEPENDENCIES ${calls})
endforeach()
list(REMOVE_DUPLICATES BASCULE_FIND_DEPENDENCIES)
list(JOIN BASCULE_FIND_DEPENDENCIES "\n" BASCULE_FIND_DEPENDENCIES)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/basculeConfig.cmake.in ${CMAKE_BINARY_DIR}/basculeConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/bascule NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/basculeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/basculeConfig.cmake ${CMAKE_BINARY_DIR}/basculeConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/bascule)
