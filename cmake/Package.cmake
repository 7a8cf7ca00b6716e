# `cmake --install` and, for whoever links Bascule into a program of their own, find_package(bascule).
#
# Installed are the program, the rooms' libraries as bascule::ROOM and their public headers below include/bascule, with the
# same paths as in src/. What only tests and this program's own command line need stays here.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY BASCULE_ROOMS)
list(REMOVE_ITEM rooms sim simulator cli api)

# <bascule/event_service.h> and the like: what is written for programs that embed a bus.
target_include_directories(bascule_options INTERFACE $<INSTALL_INTERFACE:include>)
set_target_properties(bascule_options PROPERTIES EXPORT_NAME options)

# Each room is exported by itself, so that find_package(bascule COMPONENTS pattern) asks for the libraries of that room and
# of those it uses, and for no others. What a room looks for here is looked for again where it is linked.
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/bascule)
install(TARGETS bascule_options EXPORT bascule_options)
install(EXPORT bascule_options NAMESPACE bascule:: FILE options.cmake DESTINATION ${package_folder})
set(BASCULE_USES "")
set(BASCULE_IMPORTS "")
foreach(room ${rooms})
    set_target_properties(bascule_${room} PROPERTIES EXPORT_NAME ${room})
    install(TARGETS bascule_${room} EXPORT bascule_${room} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/bascule)
    install(EXPORT bascule_${room} NAMESPACE bascule:: FILE ${room}.cmake DESTINATION ${package_folder})

    get_property(uses GLOBAL PROPERTY BASCULE_${room}_USES)
    get_target_property(source_folder bascule_${room} SOURCE_DIR)
    file(STRINGS ${source_folder}/CMakeLists.txt calls REGEX "^find_package")
    list(TRANSFORM calls REPLACE "^find_package\\((.*) REQUIRED(.*)\\)$" "    find_dependency(\\1\\2)\n")
    list(JOIN calls "" calls)
    string(APPEND BASCULE_USES "set(bascule_uses_${room} ${uses})\n")
    string(APPEND BASCULE_IMPORTS "if(${room} IN_LIST bascule_rooms)\n${calls}    include(\"\${CMAKE_CURRENT_LIST_DIR}/${room}.cmake\")\n"
        "    set(bascule_${room}_FOUND TRUE)\nendif()\n")
endforeach()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/src/foundation ${CMAKE_SOURCE_DIR}/src/bus ${CMAKE_SOURCE_DIR}/src/household ${CMAKE_SOURCE_DIR}/src/server
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bascule
        FILES_MATCHING PATTERN "*.h" PATTERN "*_internal.h" EXCLUDE PATTERN "test_*.h" EXCLUDE PATTERN "*testing.h" EXCLUDE
        PATTERN "api" EXCLUDE)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/bascule DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TARGET bascule)
    install(TARGETS bascule RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/basculeConfig.cmake.in ${CMAKE_BINARY_DIR}/basculeConfig.cmake
    INSTALL_DESTINATION ${package_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/basculeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/basculeConfig.cmake ${CMAKE_BINARY_DIR}/basculeConfigVersion.cmake
        DESTINATION ${package_folder})
