#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Three POSTs for an application of any size that a card takes, by the client's count and by the server's. Above 256 short
# blocks it goes with extended length, and only to a card that has it.
transport=pcsc
. "$(dirname "$0")/../e2e/world.sh"

key=1D6C2F0B8E4A97533AC5F1E0D2B49687
must 'pcscd' start_pcscd
must 'the server starts' start_server
must 'the key is stored' add_key master aes128 "$key"
# 61,701 bytes are 250 blocks of 247, but more than 256 of the 239 that encryption leaves.
must 'the card type is stored' add_type big 03 70 30 master 11
new_card big "$key" --memory 400000
insert big
for row in hello:F00000000101 bulk24:F00000004101 bulk60:F00000004201 bulk120:F00000004301; do
    app=${row%:*}-jc222
    ok "$app is stored" "$ferry" app add "$caps/$app.cap"
    order --app "$app" --type big
    run big
    ended "$app is delivered" confirmed none 0
    same "$app takes three POSTs, says the client" 3 "$posts"
    same "$app takes three POSTs, says the server" 3 "$("$ferry" session show "$session" --json | jq -r .posts)"
    same "$app answers" 9000 "$(select_app big "${row#*:}")"
done
pull big

# The same key and card type, but a card that has short commands alone.
new_card short "$key" --memory 400000 --short-only
insert short
order --app bulk120-jc222 --type big
run short
ended 'a card without extended length is not sent bulk120' failed bad-cap 14
told 'with the reason' 'more than 256 blocks of 247: blocks of extended length would be needed'
same 'and nothing of it is on the card' 6A82 "$(select_app short F00000004301)"
order --app bulk24-jc222 --type big
run short
ended 'which still gets what fits' confirmed none 0
pull short
tap_end
