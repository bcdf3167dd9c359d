#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What an operator's page asks for, end to end: nothing is delivered that nobody approved, another ticket voids the
# one before, offers, texts, and the dialogue of a real delivery without a byte of its data.
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
hello=F00000000101
package=F000000001

app_field() {
    "$ferry" app show "$1" --json | jq -r "$2"
}

order_field() {
    "$ferry" order show "$1" --json | jq -r "$2"
}

api() {
    # The token in no argument list.
    { printf 'header = "Authorization: Bearer '; tr -d '\n' <"$(setting token_file)"; echo '"'; } |
        curl -fsS --config - --cacert "$(setting ca)" "$(setting url)/api/v1$1"
}

commands() {
    grep -c '"event":"command"' "$work/run.out"
}

start_badges
must 'a card is made' new_card badge $key --scp 03 --i 70 --kvn 30
must 'another card is made' new_card other $key --scp 03 --i 70 --kvn 30
must 'the card is put in' insert badge

# ---- approval ----

must 'an application is stored, unapproved' "$ferry" app add "$caps/hello-jc222.cap" --name hello --unapproved \
    --title 'Hello' --title-de 'Grüß Gott' --description 'Says hello.'
same 'it is not approved' null "$(app_field hello .approved)"
refused 'and can not be ordered' 4 'ferry app approve' "$ferry" order add --app hello --type badge
ok 'somebody approves it' "$ferry" app approve hello
same 'who is told' 'admin token' "$(app_field hello .approved.by)"
refused 'it is not approved twice' 1 'approved already' "$ferry" app approve hello
must 'now it can be ordered' order --app hello --type badge --cards 3
"$ferry" app show hello --sequence >"$work/sequence"
ok 'its sequence is stored again, for others to look at' "$ferry" app sequence hello "$work/sequence" --unapproved
same 'which withdraws the approval' null "$(app_field hello .approved)"
run badge
ended 'an order from before is not delivered' failed not-approved 18
same 'no command reached the card' 0 "$(commands)"
same 'nothing is on the card' 6A82 "$(select_app badge $hello)"
same 'no channel was opened' 0 "$(api /cards | jq '[.items[].ledger[].openings] | add // 0')"
same 'the order is as it was' '3 9' "$(order_field "$order" '"\(.cards_left) \(.openings_left)"')"
ok 'the sequence is stored by who has looked at it' "$ferry" app sequence hello "$work/sequence"
same 'which approves it' 'admin token' "$(app_field hello .approved.by)"

# ---- another ticket ----

old=$ticket
"$ferry" order ticket "$order" --json >"$work/order.json"
ticket=$old
run badge
ended 'the ticket of before is void' failed wrong-ticket 9
ticket=$(jq -r .link "$work/order.json")
run badge
ended 'the new one delivers' confirmed none 0
same 'the invitation is the page with the ticket behind #' "$(setting url)/i#$(jq -r .ticket "$work/order.json")" \
    "$(jq -r .invitation "$work/order.json")"
same 'how many cards it was made for is told' '3 2' "$(order_field "$order" '"\(.cards) \(.cards_left)"')"
same 'the ticket is not shown again' null "$(order_field "$order" .ticket)"

# ---- the dialogue ----

api "/sessions/$session/dialogue" >"$work/dialogue.json"
same 'the dialogue has the two turns of a delivery' 'authenticate deliver' "$(jq -r '[.turns[].step] | join(" ")' "$work/dialogue.json")"
same 'every command was answered with 9000' 9000 "$(jq -r '[.turns[].commands[].sw] | unique | join(" ")' "$work/dialogue.json")"
same 'LOAD commands are of the package' $package \
    "$(jq -r '[.turns[].commands[] | select(.header[2:4] == "E8") | .aid] | unique | join(" ")' "$work/dialogue.json")"
ok 'they bring the whole load file' test "$(jq '[.turns[].commands[] | select(.header[2:4] == "E8") | .bytes] | add' \
    "$work/dialogue.json")" -ge "$(app_field hello .load_bytes)"
same 'as many commands as the session counted' "$("$ferry" session show "$session" --json | jq .commands)" \
    "$(jq '[.turns[].commands[]] | length' "$work/dialogue.json")"
same 'and nothing but what is promised' 'aid bytes header sw' \
    "$(jq -r '[.turns[].commands[] | keys[]] | unique | join(" ")' "$work/dialogue.json")"
"$ferry" session dialogue "$session" >"$work/ladder"
ok 'it is shown in words' grep -q "^  --> LOAD block 0, [0-9]* bytes.*, of $package" "$work/ladder"
ok 'with what came back' grep -q '^  <-- 9000' "$work/ladder"
ok 'and the beginning of the channel' grep -q '^  --> INITIALIZE UPDATE, 8 bytes' "$work/ladder"

# ---- offers, texts, overview ----

must 'an application is offered' order --app hello --type badge --cards 10 --offer
same 'its ticket is shown again' "$(jq -r .ticket "$work/order.json")" "$(order_field "$order" .ticket)"
same 'open orders are told' 2 "$(api '/orders?state=open' | jq '.items | length')"
pull badge
must 'the other card is put in' insert other
run other
ended 'an offer delivers' confirmed none 0
same 'a title is told' 'Grüß Gott' "$(app_field hello .title_de)"
ok 'another text is stored' "$ferry" app texts hello --description-de 'Sagt Grüß Gott.'
same 'beside the others' 'Hello, Says hello., Grüß Gott, Sagt Grüß Gott.' \
    "$(app_field hello '[.title, .description, .title_de, .description_de] | join(", ")')"
refused 'a text that is too long is refused' 1 '80 bytes' "$ferry" app texts hello --title "$(printf '%081d' 0)"
refused 'texts need one' 2 'which text' "$ferry" app texts hello
same 'the overview counts' '0 2 1 2 0 2' "$(api /overview |
    jq -r '"\(.sessions_now) \(.days[29].confirmed) \(.days[29].failed) \(.cards) \(.set_aside) \(.orders_open)"')"
same 'and says why sessions failed' 'not-approved 1' "$(api /overview | jq -r '.reasons[] | "\(.reason) \(.count)"')"

# ---- filters ----

# rows VERB...: how many there are.
rows() {
    "$ferry" "$@" --json | jq length
}

must 'an order for one card' "$ferry" order add --app hello --card "$(number_of other)" --quiet
same 'orders: all, open ones, of an application, of another, of a card' '3 3 3 0 1' \
    "$(rows order list) $(rows order list --open) $(rows order list --app hello) $(rows order list --app none) \
$(rows order list --card "$(number_of other)")"
ok 'the first is cancelled' "$ferry" order cancel "$order" --quiet
same 'and open no more' '3 2' "$(rows order list) $(rows order list --open)"
same 'sessions: all, running ones, of a card, of an order' '3 0 1 1' \
    "$(rows session list) $(rows session list --running) $(rows session list --card "$(number_of other)") \
$(rows session list --order "$order")"
same 'cards: of a type, of another, set aside' '2 0 0' \
    "$(rows card list --type badge) $(rows card list --type none) $(rows card list --set-aside)"
same 'audit: of an order, by what was done' 'order.add order.cancel app.texts' "$("$ferry" audit --order "$order" --json |
    jq -r 'map(.what) | map(select(startswith("order"))) | reverse | join(" ")') $("$ferry" audit --match app.t --json |
    jq -r 'map(.what) | join(" ")')"
refused 'but not of both' 2 '--card or --order' "$ferry" audit --order "$order" --card 1
stop_server
same 'no ticket is in the log' 0 "$(grep -c -e "$(jq -r .ticket "$work/order.json")" "$work/ferryd.log")"
tap_end
