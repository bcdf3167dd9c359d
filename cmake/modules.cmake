# SPDX-License-Identifier: Apache-2.0
find_package(OpenSSL 3.0 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)

# cf_module(NAME [DEPS module...] [PRIVATE_LIBS target...])
#
# A static library of lib/NAME/**.c (less test_*.c). Its headers are seen as <NAME/x.h>, through
# an include root that holds this module alone; every test_x.c beside x.c becomes a test.
function(cf_module name)
    cmake_parse_arguments(M "" "" "DEPS;PRIVATE_LIBS" ${ARGN})
    set(root ${CMAKE_BINARY_DIR}/roots/${name})
    file(MAKE_DIRECTORY ${root})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${root}/${name} SYMBOLIC)

    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "/test_[^/]*\\.c$")
    list(FILTER sources EXCLUDE REGEX "/test_[^/]*\\.c$")
    set(needs)
    foreach(dep ${M_DEPS})
        list(APPEND needs cf_${dep})
    endforeach()

    if(sources)
        add_library(cf_${name} STATIC ${sources})
        target_include_directories(cf_${name} PUBLIC ${root})
        target_link_libraries(cf_${name} PUBLIC ${needs} PRIVATE ${M_PRIVATE_LIBS})
    else()
        add_library(cf_${name} INTERFACE)
        target_include_directories(cf_${name} INTERFACE ${root})
        target_link_libraries(cf_${name} INTERFACE ${needs})
    endif()
    foreach(test ${tests})
        cf_test(${test} cf_${name})
    endforeach()
endfunction()

# cf_test(FILE target... [LABEL label] [STARTS_ITSELF]): the cmocka program FILE, linked to the targets.
# STARTS_ITSELF: it becomes other processes through /proc/self/exe, which under valgrind is valgrind.
# Tests find their data through the macro CF_DATA (the folder tests/data); <support/vectors.h> reads its JSON files.
function(cf_test file)
    cmake_parse_arguments(T "STARTS_ITSELF" "LABEL" "" ${ARGN})
    if(NOT T_LABEL)
        set(T_LABEL unit)
    endif()
    get_filename_component(stem ${file} NAME_WE)
    get_filename_component(folder ${file} DIRECTORY)
    get_filename_component(folder ${folder} NAME)
    set(target ${folder}_${stem})
    add_executable(${target} ${file})
    target_link_libraries(${target} PRIVATE ${T_UNPARSED_ARGUMENTS} cf_vectors PkgConfig::CMOCKA)
    target_compile_definitions(${target} PRIVATE CF_DATA="${CMAKE_SOURCE_DIR}/tests/data")
    add_test(NAME ${target} COMMAND ${target})
    set_tests_properties(${target} PROPERTIES LABELS ${T_LABEL} TIMEOUT 120)
    # What is shipped, under valgrind: the sanitizers see neither uninitialised memory nor the release build.
    if(CF_VALGRIND AND T_LABEL STREQUAL unit AND NOT T_STARTS_ITSELF)
        add_test(NAME valgrind_${target}
            COMMAND ${CMAKE_SOURCE_DIR}/tests/harness/valgrind.sh $<TARGET_FILE:${target}>)
        set_tests_properties(valgrind_${target} PROPERTIES LABELS valgrind TIMEOUT 900)
        # Key pairs are long in the making there: they begin first, so that nothing waits for them at the end.
        if(target MATCHES "signed|scp11|pk_|identity|channel_test_vectors|signature")
            set_tests_properties(valgrind_${target} PROPERTIES COST 100)
        endif()
    endif()
endfunction()
