#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A client that reports to a page: the page sees each stage, nobody without a visit is told anything, and a server that
# swallows reports delays no card.
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
unset DISPLAY WAYLAND_DISPLAY

page() {
    page_path=$1
    shift
    curl -sS --cacert "$(setting ca)" "$(setting url)$page_path" "$@"
}

# visit: makes one for $bare: $link, $url, and follows its events in events.log.
visit() {
    page /page/v1/visits -H 'Content-Type: application/json' --data-binary "{\"ticket\":\"$bare\"}" >"$work/visit.json" || return
    link=$(jq -r .link "$work/visit.json")
    url=$(jq -r .url "$work/visit.json")
    stop events
    : >"$work/events.log"
    spawn events curl -sSN --cacert "$(setting ca)" "$(setting url)$(jq -r .events "$work/visit.json")"
}

# The stages that the page was told, each once, in order.
stages() {
    grep -A1 '^event: client' "$work/events.log" | sed -n 's/^data: //p' | jq -r .stage | uniq | paste -sd' '
}

saw() {
    case " $(stages) " in
    *" $1 "*) ;;
    *) return 1 ;;
    esac
}

last_stage_is() {
    [ "$(stages | sed 's/.* //')" = "$1" ]
}

# newest NAME: a field of the newest report.
newest() {
    grep -A1 '^event: client' "$work/events.log" | sed -n 's/^data: //p' | tail -n 1 | jq -r ".$1"
}

# start LINK [OPTION...]: runs it in the background.
start() {
    start_ticket=$1
    shift
    : >"$work/client.log"
    spawn client "$ferry" run "$start_ticket" --reader "sim:$work/desk.sock" --json "$@"
}

finish() {
    code=0
    stop client '' || code=$?
    cp "$work/client.log" "$work/run.out"
    : >"$work/run.err"
    run_end
}

# put_in NAME [OPTION...]
put_in() {
    put_in_name=$1
    shift
    spawn "card-$put_in_name" "$ferry_card" run "$work/$put_in_name.card" --socket "$work/desk.sock" "$@"
    await test -S "$work/desk.sock"
}

start_badges
must 'the application is stored' "$ferry" app add "$caps/bulk120-jc222.cap" --name bulk
for card in one two three four; do
    must "card $card is made" new_card $card $key --scp 03 --i 70 --kvn 30
done
must 'an order is made' order --app bulk --type badge --cards 9
bare=$(jq -r .url "$work/order.json" | sed 's/.*t=//')
without=$(jq -r .url "$work/order.json")

# The page follows.
must 'a page makes a visit' visit
start "$link" --wait 60
ok 'the page sees that there is no card' await last_stage_is no-card
put_in one
finish
ended 'the order is fulfilled' confirmed none 0
commands=$(echo "$run_last" | jq -r .commands)
ok 'the page sees its end' await last_stage_is ended
ok 'in the order in which it went' sh -c "echo '$(stages)' | grep -qE '^(client )?no-card( reader)?( identify)?( authenticate)?( deliver)?( settle)? ended\$'"
same 'with the reader' "sim:$work/desk.sock" "$(newest reader)"
stop card-one
put_in one
same 'and the card' "$("$ferry" card --reader "sim:$work/desk.sock" --json | jq -r .number)" "$(newest card)"
stop card-one
ok 'and what the server says itself' grep -q '"outcome":"confirmed"' "$work/events.log"

# What takes its time is told bit by bit, but not command by command.
reports() {
    grep -A1 '^event: client' "$work/events.log" | sed -n 's/^data: //p' | jq -c 'select(.stage=="deliver")' | wc -l
}
must 'another visit' visit
put_in two --fault slow:20
start "$link"
finish
ended 'a slow card is served' confirmed none 0
ok 'the page sees its end' await last_stage_is ended
ok 'it was told several times how far it is' test "$(reports)" -ge 3
ok 'but by far not at each of its commands' test "$(reports)" -le $((commands / 4))
ok 'each time further' sh -c "grep -A1 '^event: client' '$work/events.log' | sed -n 's/^data: //p' |
    jq -r 'select(.stage==\"deliver\") | .done' | sort -nuc"
stop card-two
must 'another visit' visit
"$ferry_card" create "$work/torn.card" --keys - --scp 03 --i 70 --kvn 30 <<END
$key
END
put_in torn --fault tear:60
start "$link"
finish
ended 'a card that is pulled' failed card-pulled 11
ok 'the page sees that, too' await saw lost
stop card-torn

# Somebody says no.
must 'another visit' visit
code=0
echo n | script -qec "'$ferry' open '$link' --reader 'sim:$work/desk.sock'" /dev/null >"$work/run.out" 2>&1 || code=$?
same 'the user says no' 18 "$code"
ok 'and the page knows' await last_stage_is declined
same 'it saw nothing else' declined "$(stages)"
must 'another visit' visit
start "$link"
finish
ended 'a client that gives up' failed no-card 6
ok 'says what is missing' await last_stage_is no-card
must 'another visit' visit
put_in three
spawn client sh -c "exec '$ferry' run '$link' --reader 'sim:$work/desk.sock' --json --ca /dev/null"
finish
ended 'a client that does not trust the server' failed server-untrusted 12
same 'tells it nothing' '' "$(stages)"
stop card-three

# A network that swallows the reports: the card does not wait for them. They come first, so they are held.
spawn relay "$build/tests/e2e/port_relay" 9443 8443 1
must 'a relay' await grep -q listening "$work/relay.log"
must 'another visit' visit
start "$(echo "$url" | sed 's/:8443/:9443/')" --wait 60
ok 'the report is under way, and is not answered' await grep -q '^1 held' "$work/relay.log"
put_in three
finish
ended 'the order is fulfilled all the same' confirmed none 0
same 'with the same commands' "$commands" "$(echo "$run_last" | jq -r .commands)"
ok 'the report was cut off' await grep -q '^1 closed' "$work/relay.log"
# What was said when: the run's end stands in its log before the report is given up.
same 'and two connections were enough' '1 held 2 passed' "$(grep 'held\|passed' "$work/relay.log" | paste -sd' ')"
same 'and the page heard nothing' '' "$(stages)"
stop relay
stop card-three

# Without a visit nobody is told anything.
: >"$work/relay.log"
spawn relay "$build/tests/e2e/port_relay" 9443 8443 0
must 'a relay' await grep -q listening "$work/relay.log"
put_in four
start "$(echo "$without" | sed 's/:8443/:9443/')"
finish
ended 'a ticket without a visit' confirmed none 0
same 'is one connection' '1 passed' "$(grep passed "$work/relay.log" | paste -sd' ')"
stop card-four
tap_end
