# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# Checks of shell tests: one line each, "ok N name" or "not ok N name", and the plan "1..N" at the end, without
# which the count (tally.awk) takes the script as failed. Sourced by tests; needs nothing.

tap_n=0 tap_bad=0
tap_dir=$(mktemp -d "${TMPDIR:-/tmp}/ferry-tap.XXXXXX")

# ok NAME COMMAND...: the command succeeds. Its output is shown only when it does not.
ok() {
    tap_name=$1
    shift
    if "$@" >"$tap_dir/out" 2>&1 </dev/null; then
        pass "$tap_name"
    else
        fail "$tap_name" "exit code $? of: $*"
        sed 's/^/#   /' "$tap_dir/out"
    fi
}

# refused NAME CODE TEXT COMMAND...: the command fails with just this exit code and says TEXT (a basic regular
# expression; '' for anything).
refused() {
    tap_name=$1 tap_code=$2 tap_text=$3
    shift 3
    tap_got=0
    "$@" >"$tap_dir/out" 2>&1 </dev/null || tap_got=$?
    if [ "$tap_got" = "$tap_code" ] && grep -q -e "$tap_text" "$tap_dir/out"; then
        pass "$tap_name"
    else
        fail "$tap_name" "exit code $tap_got, expected $tap_code and '$tap_text', of: $*"
        sed 's/^/#   /' "$tap_dir/out"
    fi
}

# same NAME EXPECTED GOT
same() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "expected '$2', got '$3'"
    fi
}

pass() {
    tap_n=$((tap_n + 1))
    echo "ok $tap_n $1"
}

# fail NAME [REASON]
fail() {
    tap_n=$((tap_n + 1)) tap_bad=$((tap_bad + 1))
    echo "not ok $tap_n $1"
    [ -z "${2:-}" ] || echo "#   $2"
}

# The last line of every test: prints the plan, tells the truth as the exit status.
tap_end() {
    rm -rf "$tap_dir"
    echo "1..$tap_n"
    [ "$tap_bad" = 0 ] && [ "$tap_n" -gt 0 ]
}
