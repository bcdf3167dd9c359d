# SPDX-License-Identifier: Apache-2.0
#
# The pages (web/) as one C file, for every preset the same: WEB_ASSETS_C. Everything is done in build/web, on a copy
# of the sources; web/tools/build.mjs sees what has been done already.
find_program(NODE node)
find_program(NPM npm)
if(NOT NODE OR NOT NPM)
    message(FATAL_ERROR "The pages are built by node 18 or newer and npm, and one is missing. ./dev build installs them;"
        " or: apt-get install nodejs npm")
endif()
execute_process(COMMAND ${NODE} --version OUTPUT_VARIABLE node_version OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REGEX REPLACE "^v" "" node_version "${node_version}")
if(node_version VERSION_LESS 18)
    message(FATAL_ERROR "The pages need node 18 or newer; ${NODE} is '${node_version}'")
endif()

# Presets are below build/ and share; a build elsewhere keeps to its own folder.
set(WEB_DIR ${CMAKE_BINARY_DIR}/web)
string(FIND "${CMAKE_BINARY_DIR}" "${CMAKE_SOURCE_DIR}/build/" below_build)
if(below_build EQUAL 0)
    set(WEB_DIR ${CMAKE_SOURCE_DIR}/build/web)
endif()
file(MAKE_DIRECTORY ${WEB_DIR})
set(WEB_ASSETS_C ${WEB_DIR}/web_assets.c)

file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*)
# flock: two presets that are built at the same time wait for each other.
add_custom_command(OUTPUT ${WEB_ASSETS_C}
    COMMAND flock ${WEB_DIR}/lock ${NODE} ${CMAKE_SOURCE_DIR}/web/tools/build.mjs ${CMAKE_SOURCE_DIR}/web ${WEB_DIR}
    DEPENDS ${web_sources}
    COMMENT "Building the pages"
    VERBATIM)

# The pure parts in plain node, and the types of all. Both look at the copy.
add_test(NAME web_unit COMMAND ${NODE} tools/test.mjs ${CMAKE_SOURCE_DIR}/lib/session/outcome.h
    WORKING_DIRECTORY ${WEB_DIR}/src)
set_tests_properties(web_unit PROPERTIES LABELS unit TIMEOUT 120)
if(NOT CF_FUZZ AND NOT CF_COVERAGE)
    add_test(NAME lint_web COMMAND ${CMAKE_SOURCE_DIR}/tests/lint/web.sh ${WEB_DIR}/src)
    set_tests_properties(lint_web PROPERTIES LABELS lint TIMEOUT 300)
endif()
