#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Manual pages and --help know the same long options, both ways, and the pages are well formed.
set -u
. "$(dirname "$0")/common.sh"

options() {
    grep -oE -e '(^|[^[:alnum:]-])--[a-z][a-z0-9-]*' | sed 's/.*--/--/' | sort -u
}

for page in man/*.[158]; do
    [ -f "$page" ] || continue
    ok "$page is well formed" sh -c '! mandoc -T lint -W error "$1" | grep .' - "$page"
done

# The help of a program and of each of its verbs: lines of two spaces, lower-case words, and then two spaces or
# an argument.
whole_help() {
    "$1" --help || return
    "$1" --help | sed -n 's/^  \([a-z].*\)/\1/p' | sed 's/  .*//; s/ [^a-z].*//' | sort -u | while read -r verb; do
        # shellcheck disable=SC2086 # a verb may have two words
        "$1" $verb --help 2>/dev/null
    done
}

for program in ferryd ferry ferry-card; do
    binary=$build/src/$program/$program
    [ -x "$binary" ] || continue
    page=$(ls man/"$program".[18] 2>/dev/null | head -n 1)
    if [ -z "$page" ]; then
        fail "$program has a manual page"
        continue
    fi
    ok "$program --help succeeds" "$binary" --help
    whole_help "$binary" 2>/dev/null | options >"$tap_dir/help"
    # Without the strokes that make a letter bold.
    mandoc -T ascii "$page" | sed "s/.$(printf '\b')//g" | options >"$tap_dir/page"
    same "every option of $program --help is in $page" '' "$(comm -23 "$tap_dir/help" "$tap_dir/page" | paste -sd' ')"
    same "every option in $page is in $program --help" '' "$(comm -13 "$tap_dir/help" "$tap_dir/page" | paste -sd' ')"
done
ok 'mandoc is there' command -v mandoc
tap_end
