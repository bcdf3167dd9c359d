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
#   slot=0|1                         which of the virtual reader's slots these and run mean
#   add_key NAME TYPE HEX, add_type NAME SCP I KVN KEY LEVEL [FIELDS]
#   add_pair NAME USE TYPE FILE [OPTION...]   a key pair, or its public half, from PEM
#   add_pair_type NAME SCP I KVN LEVEL FIELDS, hex_of FILE, number_of CARD, add_peer NAME CARD TYPE [KVN]
#   start_badges                     a server that knows cards of type "badge", with the key $key
#   order OPTION...                  makes an order: $ticket, $order
#   run [OPTION...]                  runs the ticket: $code, $outcome, $reason, $posts, $detail; log in $work/run.out
#   ended NAME OUTCOME REASON CODE, told NAME TEXT   checks of that
#   link_of URL PURPOSE [APP [TITLE]]   a link that says what it is for; PURPOSE is a byte in hexadecimal
#   select_app AID                   asks the card, past Cardferry

transport=${transport:-sim}
slot=0 # of the two that the virtual reader has
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
    grep -q '^allow_weak' "$server/ferryd.conf" || echo "allow_weak = ${allow_weak-des,scp01,scp02}" >>"$server/ferryd.conf"
    spawn ferryd "$ferryd" --config "$server/ferryd.conf"
    await server_is_up
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
        spawn "card-$insert_name" "$ferry_card" run "$work/$insert_name.card" --vpcd "127.0.0.1:$((vpcd_port + slot))" "$@"
        "$probe" slot $slot present
    else
        spawn "card-$insert_name" "$ferry_card" run "$work/$insert_name.card" --socket "$work/$insert_name.sock" "$@"
        await test -S "$work/$insert_name.sock"
    fi
}

# A failed reset also makes a slot look empty, until the daemon has looked at it: a card that is put in before would
# never be seen. So its log is asked, too.
removals() {
    grep -c "Card Removed From Virtual PCD 00 0$slot" "$work/pcscd.log"
}

more_removals_than() {
    [ "$(removals)" -gt "$1" ]
}

pull() {
    if [ "$transport" = pcsc ]; then
        pull_before=$(removals)
        stop "card-$1" "${2:-TERM}"
        await more_removals_than "$pull_before" && "$probe" slot $slot absent
    else
        stop "card-$1" "${2:-TERM}"
    fi
}

reader_of() {
    [ "$transport" = pcsc ] && echo "pcsc:Virtual PCD 00 0$slot" || echo "sim:$work/$1.sock"
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

add_pair() {
    pair_name=$1 pair_use=$2 pair_type=$3 pair_file=$4
    shift 4
    "$ferry" key add "$pair_name" --use "$pair_use" --type "$pair_type" --file "$pair_file" --quiet "$@"
}

# Methods with key pairs: FIELDS name the keys, such as '"key":"server","trust":"cards","certificates":["7F21.."]'
add_pair_type() {
    cat >"$work/type.json" <<END
{"name": "$1", "isd": "A000000151000000", "scp": "$2", "i": "$3", "kvn": "$4", "level": "$5", $6}
END
    "$ferry" type add "$work/type.json" --quiet
}

start_badges() {
    must 'the server starts' start_server
    must 'the card key is stored' add_key badge aes128 "$key"
    must 'a type is stored' add_type badge 03 70 30 badge 33
}

hex_of() {
    od -An -v -tx1 "$1" | tr -d ' \n' | tr a-f A-F
}

number_of() {
    "$ferry" card --reader "$(reader_of "$1")" --json | jq -r .number
}

# The public key of a card with signed commands, for the server.
add_peer() {
    "$ferry_card" keys "$work/$2.card" --kvn "${4:-40}" --kid 02 >"$work/$2.pub" &&
        add_pair "$1" peer "$3" "$work/$2.pub" --card "$(number_of "$2")"
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

# told NAME TEXT: what the last run said at its end has this text.
told() {
    case $detail in
    *"$2"*) pass "$1" ;;
    *) fail "$1" "expected '$2' in '$detail'" ;;
    esac
}

hex_text() {
    printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'
}

# tlv TAG HEX: with a length of two bytes, whatever it is.
tlv() {
    printf '%s81%02x%s' "$1" $((${#2} / 2)) "$2"
}

# docs/web.md, "The link".
link_of() {
    link_rest=${1#https://}
    link_http=$(tlv 8a "$(hex_text "${link_rest%%/*}")")$(tlv 8c "$(hex_text "/${link_rest#*/}")")
    link_said=''
    [ -z "${2:-}" ] || link_said=$(tlv df50 "$2")
    [ -z "${3:-}" ] || link_said=$link_said$(tlv df51 "$(hex_text "$3")")
    [ -z "${4:-}" ] || link_said=$link_said$(tlv df52 "$(hex_text "$4")")
    printf 'cardferry:'
    link_hex=$(tlv 81 "$(tlv 83 "$(tlv 89 "$link_http")")$link_said")
    env printf '%b' "$(echo "$link_hex" | sed 's/../\\x&/g')" | base64 -w 0 | tr '+/' '-_' | tr -d =
}

# select_app CARD AID: the status word that the card gives to SELECT.
select_app() {
    select_apdu=00A40400$(printf '%02X' $((${#2} / 2)))$2
    if [ "$transport" = pcsc ]; then
        "$probe" slot $slot apdu "$select_apdu"
    else
        "$probe" sim "$work/$1.sock" "$select_apdu"
    fi | tail -c 5
}
