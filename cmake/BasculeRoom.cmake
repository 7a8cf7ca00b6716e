# bascule_room(NAME USES ROOM… [LIBRARIES LIB…] [TEST_USES ROOM…] [TEST_LIBRARIES LIB…])
#
# Declares the room in the current folder and its subfolders: a static library `bascule_NAME` from its *.cc, a test program `NAME_test`
# from its *_test.cc, one benchmark `NAME_bench` from its *_bench.cc and one fuzzer per *_fuzz.cc. Files are found, not
# listed, so that adding one touches nothing else. USES are public (headers of ours); LIBRARIES are foreign and private,
# because no header of ours includes them.
function(bascule_room name)
    cmake_parse_arguments(ROOM "" "" "USES;LIBRARIES;TEST_USES;TEST_LIBRARIES" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS *.cc */*.cc)
    file(GLOB tests CONFIGURE_DEPENDS *_test.cc */*_test.cc)
    file(GLOB benches CONFIGURE_DEPENDS *_bench.cc */*_bench.cc)
    file(GLOB fuzzers CONFIGURE_DEPENDS *_fuzz.cc */*_fuzz.cc)
    list(REMOVE_ITEM sources ${tests} ${benches} ${fuzzers})

    set_property(GLOBAL PROPERTY BASCULE_${name}_USES ${ROOM_USES})
    list(TRANSFORM ROOM_USES PREPEND bascule_)
    list(TRANSFORM ROOM_TEST_USES PREPEND bascule_)
    if(sources)
        add_library(bascule_${name} STATIC ${sources})
        target_link_libraries(bascule_${name} PUBLIC bascule_options ${ROOM_USES} PRIVATE ${ROOM_LIBRARIES})
    else()
        add_library(bascule_${name} INTERFACE)
        target_link_libraries(bascule_${name} INTERFACE bascule_options ${ROOM_USES})
    endif()

    set_property(GLOBAL APPEND PROPERTY BASCULE_ROOMS ${name})

    if(tests AND BASCULE_TESTS)
        add_executable(${name}_test ${tests})
        target_link_libraries(${name}_test PRIVATE
            bascule_${name} ${ROOM_TEST_USES} ${ROOM_TEST_LIBRARIES} GTest::gmock_main)
        # Cases have names; their values would be printed as bytes behind them.
        gtest_discover_tests(${name}_test TEST_PREFIX ${name}. NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
    endif()
    if(benches AND BASCULE_TESTS)
        add_executable(${name}_bench ${benches})
        target_link_libraries(${name}_bench PRIVATE
            bascule_${name} ${ROOM_TEST_USES} ${ROOM_TEST_LIBRARIES} benchmark::benchmark_main)
        # Each benchmark also runs once with tiny input, so that it neither rots nor measures nothing.
        add_test(NAME ${name}.bench COMMAND ${name}_bench --benchmark_min_time=0.001)
    endif()
    if(BASCULE_FUZZ)
        foreach(fuzzer ${fuzzers})
            get_filename_component(stem ${fuzzer} NAME_WE)
            add_executable(${stem} ${fuzzer})
            target_link_libraries(${stem} PRIVATE bascule_${name} ${ROOM_TEST_USES})
            target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
        endforeach()
    endif()
endfunction()
