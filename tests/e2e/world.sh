# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# A whole Cardferry in a private world: a server with an embedded store, a virtual card, a client. Sourced by
# end-to-end tests, behind their description. $transport says how client and card meet: "pcsc" (real daemon and
# virtual reader) or "sim" (a socket).
#
#   must NAME COMMAND...             like ok, and the test ends when it fails
#   start_server, stop_server [SIGNAL]
#   new_card NAME KEY OPTION...      makes a card's memory (options of ferry-card create)
#   insert NAME [OPTION...]          puts it into the reader (options of ferry-card run)
#   pull NAME [SIGNAL]               takes it out
#   add_key NAME TYPE HEX, add_type NAME SCP I KVN KEY LEVEL [FIELDS]
#   order OPTION...                  makes an order: $ticket, $order
#   run [OPTION...]                  runs the ticket: $code, $outcome, $reason, $posts, $detail; log in $work/run.out
#   select_app AID                   asks the card, past Cardferry

transport=${transport:-sim}
. "$(dirname "$0")/../harness/private.sh"

ferryd=$build/src/ferryd/ferryd
ferry=$build/src/ferry/ferry
ferry_card=$build/src/ferry-card/ferry-card
server=$work/server
export FERRY_PROFILE="$server/admin.conf"

# setting NAME: a value of the client's profile.
setting() {
    sed -n "s/^$1 *= *//p" "$FERRY_PROFILE"
}

server_is_up() {
    curl -fsS --cacert "$(setting ca)" "$(setting url)/health" && running ferryd
}

start_server() {
    [ -e "$server/ferryd.conf" ] || "$ferryd" init "$server" || return
    # Cards of every age are served here.
    grep -q '^allow_weak' "$server/ferryd.conf" || echo 'allow_weak = des,scp01,scp02' >>"$server/ferryd.conf"
    spawn ferryd "$ferryd" --config "$server/ferryd.conf"
    await 20 server_is_up
}

# must NAME COMMAND...: a check without which the rest of the test is of no use.
must() {
    must_before=$tap_bad
    ok "$@"
    [ "$tap_bad" = "$must_before" ] || exit 1
}

stop_server() {
    stop ferryd "${1:-TERM}"
}

new_card() {
    card_name=$1 card_key=$2
    shift 2
    echo "$card_key" | "$ferry_card" create "$work/$card_name.card" --keys - "$@"
}

# insert NAME [OPTION...]
insert() {
    insert_name=$1
    shift
    if [ "$transport" = pcsc ]; then
        spawn "card-$insert_name" "$ferry_card" run "$work/$insert_name.card" --vpcd "127.0.0.1:$vpcd_port" "$@"
        "$probe" present
    else
        spawn "card-$insert_name" "$ferry_card" run "$work/$insert_name.card" --socket "$work/$insert_name.sock" "$@"
        await 10 test -S "$work/$insert_name.sock"
    fi
}

pull() {
    stop "card-$1" "${2:-TERM}"
    [ "$transport" = pcsc ] && "$probe" absent
}

reader_of() {
    [ "$transport" = pcsc ] && echo 'pcsc:Virtual PCD 00 00' || echo "sim:$work/$1.sock"
}

add_key() {
    echo "$3" | "$ferry" key add "$1" --type "$2" --file - --quiet
}

# add_type NAME SCP I KVN KEY LEVEL [FIELDS]: FIELDS is more JSON, such as '"match":{"atr":["3B"]}'
add_type() {
    cat >"$work/type.json" <<END
{"name": "$1", "isd": "A000000151000000", "scp": "$2", "i": "$3", "kvn": "$4", "key": "$5", "kdf": "none",
 "level": "$6"${7:+, $7}}
END
    "$ferry" type add "$work/type.json" --quiet
}

order() {
    "$ferry" order add --json "$@" >"$work/order.json" || return
    ticket=$(jq -r .link "$work/order.json")
    order=$(jq -r .id "$work/order.json")
}

# run CARD [OPTION...]
run() {
    run_reader=$(reader_of "$1")
    shift
    code=0
    "$ferry" run "$ticket" --reader "$run_reader" --json "$@" >"$work/run.out" 2>"$work/run.err" </dev/null || code=$?
    run_end
}

# What the last run said at its end, from its JSON lines.
run_end() {
    run_last=$(grep '"event":"end"' "$work/run.out" | tail -n 1)
    [ -n "$run_last" ] || run_last='{}'
    outcome=$(echo "$run_last" | jq -r .outcome)
    reason=$(echo "$run_last" | jq -r .reason)
    posts=$(echo "$run_last" | jq -r .posts)
    detail=$(echo "$run_last" | jq -r .detail)
    session=$(echo "$run_last" | jq -r .session)
}

# ended NAME OUTCOME REASON CODE: how the last run must have ended.
ended() {
    if [ "$outcome/$reason/$code" = "$2/$3/$4" ]; then
        pass "$1"
    else
        fail "$1" "expected $2, $3, exit code $4; got $outcome, $reason, exit code $code: $detail"
        sed 's/^/#   /' "$work/run.err"
        grep -v '"event":"command"' "$work/run.out" | sed 's/^/#   /'
    fi
}

# select_app CARD AID: the status word that the card gives to SELECT.
select_app() {
    select_apdu=00A40400$(printf '%02X' $((${#2} / 2)))$2
    if [ "$transport" = pcsc ]; then
        "$probe" apdu "$select_apdu"
    else
        "$probe" sim "$work/$1.sock" "$select_apdu"
    fi | tail -c 5
}
