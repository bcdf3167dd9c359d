#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What can go wrong for a card holder or an operator: each has a sentence of its own, an exit code of its own, and
# does no harm.
. "$(dirname "$0")/world.sh"

key=1D6C2F0B8E4A97533AC5F1E0D2B49687
other=E2937A51C40D8F6B1E5AA7903CD8B264
hello=F00000000101

# card NAME [KEY [OPTION...]]: makes one and puts it into the reader.
card() {
    card_name=$1 card_key=${2:-$key}
    shift
    [ $# = 0 ] || shift
    new_card "$card_name" "$card_key" "$@"
    insert "$card_name"
}

# says NAME TEXT: the sentence of the last run.
says() {
    case $detail in
    *"$2"*) pass "$1" ;;
    *) fail "$1" "expected '...$2...', got '$detail'" ;;
    esac
}

must 'the server starts' start_server
must 'the key is stored' add_key master aes128 "$key"
must 'the type is stored' add_type badge 03 70 30 master 33
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap"

# wrong key
ok 'a careful type is stored' add_type careful 03 70 30 master 33 '"identify_first": true'
card stranger "$other" --count-openings
order --app hello-jc222 --type careful
run stranger
ended 'a card with another key is refused' failed wrong-key 7
says 'and it is said why' 'does not fit key'
order --app hello-jc222 --type careful
run stranger
ended 'and it is not tried again' failed card-blocked 17
same 'its tries were spared: one opening, no authentication' 1 "$("$ferry_card" show "$work/stranger.card" --json | jq '.keys[0].failures')"
pull stranger

# unknown card
card unknown
order --app hello-jc222
run unknown
ended 'a card of no known type is refused' failed unknown-card 8
says 'and it is said why' 'does not know this kind of card'
pull unknown

# tickets
card good
order --app hello-jc222 --type badge
ticket=${ticket%????}AAAA
run good
ended 'a wrong ticket is refused' failed wrong-ticket 9
order --app hello-jc222 --type badge --expires 1
sleep 1.2
run good
ended 'an expired ticket is refused' failed expired-ticket 10
order --app hello-jc222 --type badge
"$ferry" order cancel "$order" --quiet
run good
ended 'a cancelled order is refused' failed cancelled 10

# applications
ok 'an application with a missing dependency is stored' "$ferry" app add "$caps/app-jc222.cap"
order --app app-jc222 --type badge
run good
ended 'a missing dependency is told' failed missing-dependency 15
same 'and nothing of it is on the card' 6A82 "$(select_app good F00000000B01)"
refused 'an unreadable CAP file is refused' 14 'cannot\|can.t' "$ferry" app add "$work/nothing.cap"
refused 'a bad CAP file is refused' 14 'ZIP' "$ferry" app add "$caps/bad/truncated.cap"
ok 'a CAP file of more than 256 short blocks is stored' "$ferry" app add "$caps/bulk120-jc222.cap"
order --app bulk120-jc222 --type badge
run good
ended 'and goes with extended length' confirmed none 0
order --app bulk120-jc222 --type badge --remove
run good
ended 'and is removed' confirmed none 0

# a card that holds it already
order --app hello-jc222 --type badge
run good
ended 'a first delivery' confirmed none 0
order --app hello-jc222 --type badge
run good
ended 'a second one has nothing to do' confirmed already-there 0
run good
ended 'a ticket that was used up is refused' failed ticket-used 10
pull good

# too little memory
card small "$key" --memory 8000
ok 'a big application is stored' "$ferry" app add "$caps/bulk24-jc222.cap"
order --app bulk24-jc222 --type badge
run small
ended 'a card with too little memory is told' failed not-enough-memory 16
same 'and nothing of it is on the card' 6A82 "$(select_app small F00000004101)"
order --app hello-jc222 --type badge
run small
ended 'and takes what fits' confirmed none 0
same 'which answers' 9000 "$(select_app small $hello)"
pull small

# the card is pulled out in the middle
new_card torn "$key"
insert torn --fault tear:40
order --app bulk24-jc222 --type badge
run torn
ended 'a card pulled in the middle is told' failed card-pulled 11
stop card-torn
insert torn
order --app bulk24-jc222 --type badge
run torn
ended 'the next run settles' confirmed none 0
same 'and the application answers' 9000 "$(select_app torn F00000004101)"
pull torn

# the server is gone in the middle
new_card lonely "$key"
insert lonely --fault slow:20
order --app bulk24-jc222 --type badge
spawn run "$ferry" run "$ticket" --reader "$(reader_of lonely)" --json
await grep -q '"done":30,' "$work/run.log"
stop_server KILL
stop run ''
code=$?
cp "$work/run.log" "$work/run.out"
run_end
ended 'a server gone in the middle is told' unknown server-gone 12
must 'the server is there again' start_server
order --app bulk24-jc222 --type badge
run lonely
ended 'the next run settles: the card had gone on to the end' confirmed already-there 0
same 'and the application answers' 9000 "$(select_app lonely F00000004101)"
pull lonely

# the server's disk is full
stop_server
cp -a "$server/store" "$work/store.copy"
mount -t tmpfs -o size=3m tmpfs "$server/store"
cp -a "$work/store.copy/." "$server/store"
must 'a server on a small disk starts' start_server
card last
order --app hello-jc222 --type badge
dd if=/dev/zero of="$server/store/fill" bs=64k 2>/dev/null
refused 'a full disk is told to the operator' 13 'space' "$ferry" app add "$caps/till-jc222.cap"
run last
ended 'a full disk is told to the card holder' failed server-full 13
same 'and nothing is on the card' 6A82 "$(select_app last $hello)"
rm "$server/store/fill"
run last
ended 'with room again the same ticket works' confirmed none 0
pull last
stop_server
umount "$server/store"

# no card, no server
run good
ended 'no card in the reader is told' failed no-card 6
card alone
run alone
ended 'no server is told' failed server-gone 12
pull alone
tap_end
