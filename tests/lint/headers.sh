#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every header compiles alone, with just the include roots that its own module has.
set -u
. "$(dirname "$0")/common.sh"

# A C file that is compiled like the header: beside it, or in a folder above it, within its module or program.
neighbour() {
    dir=$(dirname "$1")
    while case $dir in lib | src | tests | .) false ;; esac; do
        for candidate in $(find "$dir" -name '*.c' | sort); do
            if grep -qF "\"file\": \"$PWD/$candidate\"" "$build/compile_commands.json"; then
                echo "$candidate"
                return
            fi
        done
        dir=$(dirname "$dir")
    done
}

# The root of a library module alone, where no C file of it exists.
flags_for() {
    c=$(neighbour "$1")
    if [ -n "$c" ]; then
        include_flags "$c"
    else
        for root in "$build"/roots/*; do printf -- '-I%s ' "$root"; done
    fi
}

last_dir='' flags=''
for header in $(c_files lib src tests fuzz | grep -v ^tests/lint/ | grep '\.h$'); do
    dir=$(dirname "$header")
    [ "$dir" = "$last_dir" ] || flags=$(flags_for "$header")
    last_dir=$dir
    # shellcheck disable=SC2086 # words on purpose
    ok "$header compiles alone" gcc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only $flags -x c "$header"
done
tap_end
