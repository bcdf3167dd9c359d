# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What the tests with other people's programs share. None of those programs is part of this project: environment
# variables say where the user has them (docs/interop.md), and what was not given is said and never counts.
. "$(dirname "$0")/../harness/private.sh"
card=$build/src/ferry-card/ferry-card
ferry=$build/src/ferry/ferry
export GP_READER='Virtual PCD 00 00'
export HOME="$work" # where other programs keep what they remember
default_key=404142434445464748494A4B4C4D4E4F

# given VARIABLE WHAT: is the program there? Otherwise the script says so, and goes on without.
given() {
    eval "given_value=\${$1:-}"
    [ -n "$given_value" ] || {
        echo "# not given: $1 ($2)"
        return 1
    }
}

# A new virtual card in the reader, with the arguments of ferry-card create.
new_card() {
    no_card
    rm -f "$work/card.nvm"
    "$card" create "$work/card.nvm" --serial 01020304 "$@" &&
        spawn card "$card" run "$work/card.nvm" --vpcd "localhost:$vpcd_port" --log &&
        await "$probe" present
}

# The card of somebody else: a command for the shell that connects to vpcd by itself. What was counted against
# another one that calls itself the same is forgotten.
other_card() {
    no_card
    rm -rf "$work/.local"
    spawn card sh -c "exec $1" && await "$probe" present
}

no_card() {
    stop card
    await "$probe" absent
}

# says TEXT COMMAND...: the command succeeds and prints the text; says_not: it succeeds and does not.
says() {
    says_text=$1
    shift
    says_output=$("$@") || return 1
    printf '%s\n' "$says_output"
    printf '%s\n' "$says_output" | grep -q -e "$says_text"
}

says_not() {
    says_text=$1
    shift
    says_output=$("$@") || return 1
    printf '%s\n' "$says_output"
    ! printf '%s\n' "$says_output" | grep -q -e "$says_text"
}

# A key of so many bits, as hexadecimal digits.
key_of() {
    printf '%s5051525354555657 58595A5B5C5D5E5F' "$default_key" | tr -d ' ' | head -c $(($1 / 4))
}
