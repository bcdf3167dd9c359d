# SPDX-License-Identifier: Apache-2.0
# Language and warnings, for every target of the project.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Without NDEBUG: asserts stay in what is shipped.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wstrict-prototypes
    -Wmissing-prototypes -Wundef -Wformat=2 -Wpointer-arith -Wwrite-strings
    -fstack-protector-strong -fno-common)
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
    # snprintf cuts long texts on purpose; where that matters its result is looked at.
    add_compile_options(-Wno-format-truncation)
endif()
if(CF_WERROR)
    add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo AND NOT CF_SANITIZE)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(CF_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
endif()
if(CF_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
if(CF_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
add_link_options(-Wl,-z,relro,-z,now)
