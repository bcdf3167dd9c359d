#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Who the client speaks to: only a server whose certificate comes from an authority that it trusts, and has the
# name that was asked for. Neither a ticket nor a token goes to anybody else.
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
elsewhere=https://127.0.0.2:8443

must 'a server that has more addresses than its certificate' "$ferryd" init "$server" --listen 0.0.0.0:8443
must 'the server starts' start_server
must 'the key is stored' add_key master aes128 "$key"
must 'the type is stored' add_type badge 03 70 30 master 33
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap"
must 'a card is made' new_card card "$key"
must 'the card is in the reader' insert card
order --app hello-jc222 --type badge

refused 'administration at another name' 12 'not trusted' "$ferry" app list --server "$elsewhere"
ok 'at its own it is trusted' "$ferry" app list

link=$ticket
ticket=$(jq -r .url "$work/order.json" | sed "s,https://localhost:8443,$elsewhere,")
run card
ended 'a ticket at another name' failed server-untrusted 12

ticket=$link
profile=$FERRY_PROFILE
unset FERRY_PROFILE
run card
ended 'a server of an authority that nobody named' failed server-untrusted 12
refused 'administration without its authority' 12 'not trusted' \
    "$ferry" app list --server https://localhost:8443 --token-file "$server/admin.token"
export FERRY_PROFILE="$profile"
same 'the server was asked nothing of it' 0 "$("$ferry" session list --json | jq length)"

refused 'an address without TLS' 9 'no ticket' "$ferry" run abcdefghijklmnopqrstuvwxyz --server http://localhost:8443
run card
ended 'and the ticket is as good as before' confirmed none 0
pull card
tap_end
