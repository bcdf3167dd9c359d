# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What the lint checks share: they stand at the root of the project, know the build folder, and ask the compile
# commands how a file is compiled.
build=$(cd "${1:-build/asan}" && pwd)
cd "$(dirname "$0")/../.." || exit 1
. tests/harness/tap.sh

# C files and headers of ours, below the folders named.
c_files() {
    find "$@" -type f -name '*.[ch]' | sort
}

# include_flags C-FILE: the include roots and definitions, as the build compiles that file.
include_flags() {
    jq -r --arg file "$PWD/$1" '[.[] | select(.file == $file)][0].command // empty' \
        "$build/compile_commands.json" | tr ' ' '\n' |
        awk '$0 == "-isystem" { want = 1; next } want { print "-isystem" $0; want = 0 } /^-[ID]/' |
        sed 's/\\"/"/g' | tr '\n' ' '
}

# absent NAME PATTERN FILE...: passes when no line of the files matches; shows those that do.
absent() {
    absent_name=$1 absent_pattern=$2
    shift 2
    absent_lines=$(grep -nE -e "$absent_pattern" "$@" /dev/null)
    if [ -z "$absent_lines" ]; then
        pass "$absent_name"
    else
        fail "$absent_name"
        echo "$absent_lines" | sed 's/^/#   /'
    fi
}
