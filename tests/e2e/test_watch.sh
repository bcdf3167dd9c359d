#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Card after card, as at a desk: ferry watch serves each one that is put in, and ends by the count or when it is told to.
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A

put_in() {
    spawn "card-$1" "$ferry_card" run "$work/$1.card" --socket "$work/desk.sock"
}

ends() {
    [ "$(grep -c '"event":"end"' "$work/watch.log")" = "$1" ]
}

must 'the server starts' start_server
must 'the card key is stored' add_key badge aes128 $key
must 'a type is stored' add_type badge 03 70 30 badge 33
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap" --name hello
for card in one two three; do
    must "card $card is made" new_card $card $key --scp 03 --i 70 --kvn 30
done
must 'an order for three cards is made' order --app hello --type badge --cards 3

# Two cards, counted.
put_in one
spawn watch "$ferry" watch "$ticket" --reader "sim:$work/desk.sock" --json --cards 2
ok 'the first card is served' await ends 1
stop card-one
put_in two
ok 'the second card is served' await ends 2
ok 'and then it has ended' await sh -c "! kill -0 $(cat "$work/watch.pid") 2>/dev/null"
same 'both were confirmed' 2 "$(grep -c '"outcome":"confirmed"' "$work/watch.log")"
stop card-two

# Without a count, until it is told to end.
spawn watch "$ferry" watch "$ticket" --reader "sim:$work/desk.sock" --json
put_in three
ok 'the third card is served' await ends 3
ok 'it waits for the next one' running watch
ok 'and ends well when it is told to' stop watch
stop card-three
same 'the order is fulfilled' 'done' "$("$ferry" order show "$order" --json | jq -r .state)"
tap_end
