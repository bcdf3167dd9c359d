# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What tests of "ferry local" share: a card on the desk, and verbs that are expected to work or to refuse. Sourced by
# end-to-end tests; $transport as in world.sh.
#
#   card NAME KEY [OPTION...]             makes a card (options of ferry-card create) and puts it into the reader
#   again NAME [OPTION...]                takes it out and puts it in again (options of ferry-card run)
#   local_does NAME VERB...               the verb works; its output is in $work/out, errors in $work/err
#   local_refuses NAME CODE TEXT VERB...  it ends with just this exit code, and says TEXT
#   said NAME PATTERN                     the last output has PATTERN (basic regular expression), or with "! " not
#   held NAME EXPECTED FILTER             what jq's filter finds in "ferry-card show --json" of the card
#   ledger                                the rows in which openings of the card are counted
. "$(dirname "$0")/../e2e/world.sh"
export XDG_STATE_HOME="$work/state"
unset FERRY_PROFILE

card() {
    desk=$1
    new_card "$@"
    insert "$desk"
}

again() {
    pull "$1"
    insert "$@"
}

run_local() {
    local_code=0
    local_verb=$1
    shift
    # What only reads and writes files has no reader.
    [ "$local_verb" = dap ] || set -- "$@" --reader "$(reader_of "$desk")"
    "$ferry" local "$local_verb" "$@" >"$work/out" 2>"$work/err" || local_code=$?
}

local_tell() {
    sed 's/^/#   /' "$work/out" "$work/err"
}

local_does() {
    local_name=$1
    shift
    run_local "$@"
    if [ "$local_code" = 0 ]; then
        pass "$local_name"
    else
        fail "$local_name" "exit code $local_code of: ferry local $*"
        local_tell
    fi
}

local_refuses() {
    local_name=$1 local_expected=$2 local_text=$3
    shift 3
    run_local "$@"
    if [ "$local_code" = "$local_expected" ] && cat "$work/out" "$work/err" | grep -q -e "$local_text"; then
        pass "$local_name"
    else
        fail "$local_name" "exit code $local_code, expected $local_expected and '$local_text', of: ferry local $*"
        local_tell
    fi
}

said() {
    case $2 in
    '! '*) said_found=$(cat "$work/out" "$work/err" | grep -c -e "${2#! }") && fail "$1" "'${2#! }' is there $said_found times" && return
        pass "$1" ;;
    *) if cat "$work/out" "$work/err" | grep -q -e "$2"; then pass "$1"; else fail "$1" "no '$2'" && local_tell; fi ;;
    esac
}

held() {
    same "$1" "$2" "$("$ferry_card" show "$work/$desk.card" --json | jq -r "$3")"
}

ledger() {
    cat "$XDG_STATE_HOME"/cardferry/cards/* | grep -v '^#'
}
