#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A page follows a delivery, with everything real: server, client, virtual card; what a browser would get is fetched
# by curl. docs/web.md, "A holder's way".
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A

page() {
    curl -sS --cacert "$(setting ca)" -o "$work/page.json" -w '%{http_code}' "$@"
}

# visit TICKET: $visit, and $ticket becomes the link that has it.
visit() {
    printf '{"ticket":"%s"}' "$1" >"$work/body"
    [ "$(page -H 'Content-Type: application/json' --data @"$work/body" "$(setting url)/page/v1/visits")" = 201 ] || return
    visit=$(jq -r .visit "$work/page.json")
    ticket=$(jq -r .link "$work/page.json")
    events=$(setting url)$(jq -r .events "$work/page.json")
}

# heard NAME: the data of the events of that kind, in order.
heard() {
    awk -v kind="event: $1" '$0 == kind { getline; sub(/^data: /, ""); print }' "$work/events.log"
}

follow() {
    spawn events curl -sSN --cacert "$(setting ca)" "$events"
    await watched
}

watched() {
    page "$(setting url)/metrics" >"$work/status" && grep -qx 'cardferry_page_watchers 1' "$work/page.json"
}

ended_for_the_page() {
    [ -n "$(heard end)" ]
}

client_has_ended() {
    [ "$(heard client | tail -n 1 | jq -r .stage)" = ended ]
}

start_badges
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap" --name hello --title Hello
must 'a card is made' new_card badge $key --scp 03 --i 70 --kvn 30
must 'the card is put in' insert badge
must 'an order is made' order --app hello --type badge --cards 3

secret=$(jq -r .ticket "$work/order.json")
must 'a page makes a visit' visit "$secret"
same 'it learns what the order is for' 'install Hello badge open' \
    "$(jq -r '"\(.purpose) \(.app.title) \(.type.name) \(.state)"' "$work/page.json")"
must 'it follows' follow
run badge
ended 'the client delivers with the link of the page' confirmed none 0
ok 'the page hears the end' await ended_for_the_page
same 'the server says how it went' "$session confirmed none" "$(heard end | jq -r '"\(.session) \(.outcome) \(.reason)"')"
same 'and which steps there were' 'authenticate deliver' "$(heard session | jq -r .step | paste -sd ' ')"
# Only the newest of what it says leaves: that it runs may have been overtaken by the reader that it has found.
heard client | head -n 1 | jq -r .stage >"$work/first-stage"
ok 'the client said that it runs' grep -qx -e client -e reader "$work/first-stage"
ok 'and at last that it has ended' await client_has_ended
same 'and where' "sim:$work/badge.sock" "$(heard client | jq -r .reader | grep -v '^$' | head -n 1)"
same 'and how far it was' true "$(heard client | tail -n 1 | jq '.total > 0 and .done == .total')"
ok 'neither ticket nor visit stand in the log' sh -c "! grep -qe '$secret' -e '$visit' '$work/ferryd.log'"
stop events

# A server that has begun anew has forgotten the visit: nothing else is different.
must 'the server stops' stop_server
must 'and starts' start_server
same 'there is no such visit any more' 204 "$(page "$events")"
run badge
ended 'the client delivers all the same' confirmed already-there 0
tap_end
