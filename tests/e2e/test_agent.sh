#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The loopback agent, through the real PC/SC daemon: whatever a foreign page, a form, a rebound name or a socket may
# send, the card hears nothing; what the user has let in runs an order, by its ticket, once for each card that is put in.
transport=pcsc
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
unset DISPLAY WAYLAND_DISPLAY LC_ALL LC_MESSAGES
export LANG=C.UTF-8 HOME="$work/home" XDG_STATE_HOME="$work/state"
mkdir -p "$HOME"
type='application/vnd.cardferry.agent+json'
evil=https://evil.example.org

commands() {
    grep -c ' card.command ' "$work/card-$1.log"
}

# start_agent [OPTION...]: on a terminal of its own, where nothing is typed yet.
start_agent() {
    mkfifo "$work/keys"
    : >"$work/agent.log"
    spawn agent sh -c "exec script -qec \"exec '$ferry' agent --json --port 0 --reader '$(reader_of card)' $*\" /dev/null <'$work/keys'"
    exec 9>"$work/keys"
    await grep -q '"event":"listening"' "$work/agent.log" || return
    port=$(grep '"event":"listening"' "$work/agent.log" | head -n 1 | tr -d '\r' | jq -r .port)
    agent=http://127.0.0.1:$port
}

# By the pid of the agent itself; the terminal ends with it.
stop_agent() {
    kill -TERM "$(pgrep -f "^$ferry agent --json --port 0" | head -n 1)"
    await sh -c "! kill -0 $(pid_of agent) 2>/dev/null"
    stop agent ''
    exec 9>&-
    rm "$work/keys"
}

# say WORD: the user types it.
say() {
    echo "$1" >&9
}

asked() {
    [ "$(grep -c 'Do you want this?' "$work/agent.log")" = "$1" ]
}

# call PATH BODY CURL-OPTION...: as our page would, but for what the options change. $status, and $work/answer.
call() {
    call_path=$1 call_body=$2
    shift 2
    call_given=" $*"
    for call_header in "Origin: $origin" "Content-Type: $type" 'X-Ferry-Agent: 1' "X-Ferry-Pairing: $pairing"; do
        case $call_given in
        *" ${call_header%%:*}:"*) ;;
        *) set -- "$@" -H "$call_header" ;;
        esac
    done
    status=$(curl -sS -o "$work/answer" -D "$work/headers" -w '%{http_code}' --max-time 30 -X POST \
        --data-binary "$call_body" "$@" "$agent/v1/$call_path" 2>"$work/curl.err")
}

# nothing NAME STATUS WORD CURL-OPTION...: run is refused so, and the card hears nothing.
nothing() {
    nothing_name=$1 nothing_status=$2 nothing_word=$3
    shift 3
    call run "${body-{\"ticket\":\"$bare\"\}}" "$@"
    same "$nothing_name: $nothing_status $nothing_word" "$nothing_status $nothing_word" \
        "$status $(jq -r .error "$work/answer" 2>/dev/null)"
    same "$nothing_name: 0 APDUs" 0 "$(commands card)"
}

# ran OUTCOME: the last run has ended so.
ran() {
    call state '{}' && [ "$(jq -r '"\(.running) \(.outcome)"' "$work/answer")" = "false $1" ]
}

must 'the daemon is up' start_pcscd
start_badges
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap" --name hello
must 'a card is made' new_card card $key --scp 03 --i 70 --kvn 30
must 'the card is in the reader' insert card --log
must 'an order is made' order --app hello --type badge --cards 9
bare=$(jq -r .url "$work/order.json" | sed 's/.*t=//')
origin=$(setting url)
pairing=none

refused 'an origin is needed' 2 'whom to serve' env FERRY_PROFILE= "$ferry" agent
refused 'and must be one' 2 'is no origin' "$ferry" agent --origin http://localhost
must 'the agent starts' start_agent
refused 'a port that is taken' 1 'another program' "$ferry" agent --port "$port"
same 'it listens on loopback alone' "127.0.0.1:$port [::1]:$port" \
    "$(ss -Hltn "sport = :$port" | awk '{ print $4 }' | sort | paste -sd' ')"

# The user lets our page in.
call hello '{}'
same 'it says what it is, and that we are strangers' '200 ferry false' "$status $(jq -r '"\(.agent) \(.paired)"' "$work/answer")"
nothing 'a page that the user has not let in' 403 not-paired
pair() {
    call pair '{}'
    echo "$status $(jq -r '.error // "paired"' "$work/answer")" >"$work/paired"
    jq -r '.pairing // "none"' "$work/answer" >"$work/pairing"
}
pair &
waiting=$!
ok 'the user is asked' await asked 1
ok 'and the question names the page' grep -q "^Page: $origin" "$work/agent.log"
call pair '{}'
same 'one question at a time' '409 busy' "$status $(jq -r .error "$work/answer")"
call hello '{}'
same 'meanwhile it answers' 200 "$status"
say n
wait $waiting
same 'no is no' '403 declined' "$(cat "$work/paired")"
nothing 'after a no' 403 not-paired
pair &
waiting=$!
ok 'the user is asked again' await asked 2
say y
wait $waiting
same 'yes is yes' '200 paired' "$(cat "$work/paired")"
pairing=$(cat "$work/pairing")
same 'the token has 32 bytes' 43 "${#pairing}"
absent_token() {
    ! grep -rqF -e "$pairing" -e "$bare" "$work/state" "$work/agent.log"
}
ok 'and is written nowhere' absent_token
same 'what is kept is for the user alone' 600 "$(stat -c %a "$work/state/cardferry/agent")"
call hello '{}'
same 'it knows us' true "$(jq -r .paired "$work/answer")"

# What is not our page.
nothing 'a foreign origin' 403 wrong-origin -H "Origin: $evil"
ok 'which may not read why' sh -c "! grep -qi '^access-control' '$work/headers'"
nothing 'a null origin' 403 wrong-origin -H 'Origin: null'
nothing 'no origin' 403 wrong-origin -H 'Origin:'
nothing 'the origin twice' 403 repeated -H "Origin: $evil" -H "Origin: $origin"
nothing 'by the name localhost' 403 wrong-host -H "Host: localhost:$port"
nothing 'at another port' 403 wrong-host -H 'Host: 127.0.0.1:80'
nothing 'a rebound name' 403 wrong-host -H "Host: evil.example.org:$port"
nothing 'GET' 405 wrong-method -X GET
nothing 'PUT' 405 wrong-method -X PUT
nothing 'an image' 403 wrong-origin -X GET -H 'Origin:' -H 'Content-Type:' -H 'X-Ferry-Agent:' -H 'X-Ferry-Pairing:'
nothing 'a WebSocket' 405 wrong-method -X GET -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
    -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='
for form in application/x-www-form-urlencoded multipart/form-data text/plain application/json; do
    nothing "a body of $form" 415 wrong-type -H "Content-Type: $form"
done
nothing 'without our header' 403 no-agent-header -H 'X-Ferry-Agent:'
nothing 'another pairing' 403 not-paired -H "X-Ferry-Pairing: $(echo "$pairing" | tr 'A-Za-z' 'B-ZAb-za')"
nothing 'no pairing' 403 not-paired -H 'X-Ferry-Pairing:'
call run "{\"ticket\":\"$bare\"}" --request-target '/v1/run?x=1'
same 'a query' '404 not-found' "$status $(jq -r .error "$work/answer")"
call apdu '{}'
same 'another path' '404 not-found' "$status $(jq -r .error "$work/answer")"
stop_agent

# What is no ticket. (The agent starts anew: it answers so many requests a minute.)
must 'the agent starts again' start_agent
for body in '{"apdu":"00A40400"}' '{"ticket":"00A4 0400"}' "{\"ticket\":\"$(jq -r .url "$work/order.json")\"}" \
    "{\"ticket\":\"$ticket\"}" "{\"ticket\":\"$bare\",\"server\":\"$evil\"}" "ticket=$bare" '{}' ''; do
    nothing "the body '$(printf '%.30s' "$body")'" 400 bad-request
done
body=$(printf '{"ticket":"%s"}%5000s' "$bare" '')
nothing 'a body that is too long' 413 ''
unset body

# Preflights: what Chromium asks before it lets a page speak with this machine.
preflight() {
    status=$(curl -sS -o /dev/null -D "$work/headers" -w '%{http_code}' -X OPTIONS -H "Origin: $1" \
        -H "Access-Control-Request-Method: ${2:-POST}" -H "Access-Control-Request-Headers: ${3:-content-type,x-ferry-agent}" \
        -H 'Access-Control-Request-Private-Network: true' "$agent/v1/run")
}
header() {
    tr -d '\r' <"$work/headers" | sed -n "s/^$1: //pI"
}
preflight "$origin"
same 'our page may ask' 204 "$status"
same 'for itself' "$origin" "$(header Access-Control-Allow-Origin)"
same 'for POST alone' POST "$(header Access-Control-Allow-Methods)"
same 'with our headers' 'Content-Type, X-Ferry-Agent, X-Ferry-Pairing' "$(header Access-Control-Allow-Headers)"
same 'on this machine' true "$(header Access-Control-Allow-Private-Network)"
same 'and no cache mixes pages up' Origin "$(header Vary)"
same 'for a while' 600 "$(header Access-Control-Max-Age)"
preflight "$evil"
same 'a foreign page may not' 403 "$status"
same 'and is told nothing' '' "$(header Access-Control-Allow-Origin)$(header Access-Control-Allow-Private-Network)"
preflight "$origin" GET
same 'nor ours another method' 405 "$status"
preflight "$origin" POST x-ferry-agent,authorization
same 'nor another header' 403 "$status"
same 'all of this: 0 APDUs' 0 "$(commands card)"

# And now the one that is allowed.
call state '{}'
same 'nothing has run' '200 false ' "$status $(jq -r '"\(.running) \(.run)"' "$work/answer")"
call run "{\"ticket\":\"$bare\"}"
same 'our page, let in, with a ticket' '202 1' "$status $(jq -r .run "$work/answer")"
ok 'the order is fulfilled' await ran confirmed
ok 'the card has it' sh -c "'$ferry_card' show '$work/card.card' | grep -q F00000000101"
count=$(commands card)
ok 'it was asked much for that' test "$count" -gt 10
call run "{\"ticket\":\"$bare\"}"
same 'the same card is not served twice' '409 same-card' "$status $(jq -r .error "$work/answer")"
same 'and hears nothing' "$count" "$(commands card)"
must 'the card is taken out' pull card
must 'and put in again' insert card --log
call run "{\"ticket\":\"$bare\"}"
same 'then it may' 202 "$status"
ok 'and is served' await ran confirmed
ok 'the ticket and the token are in no log' absent_token

# One operation at a time; each waits for its card.
must 'the card is out' pull card
call run "{\"ticket\":\"$bare\"}"
same 'an operation waits for a card' 202 "$status"
call run "{\"ticket\":\"$bare\"}"
same 'another one has to wait' '409 busy' "$status $(jq -r .error "$work/answer")"
echo "$bare" >"$work/bare"
ok 'the ticket is in no list of arguments' sh -c "! grep -qaF -f '$work/bare' /proc/[0-9]*/cmdline"
insert card --log
ok 'it is served when it comes' await ran confirmed
pull card
for n in 1 2 3 4 5 6 7 8 9 10 11; do
    call run '{"ticket":"AAAA"}'
    [ "$status" != 429 ] || break
done
same 'so many runs a minute' '429 too-many' "$status $(jq -r .error "$work/answer")"
stop_agent

# Two servers: each page has its own, and is told nothing of the other's.
elsewhere=https://127.0.0.2:8443
must 'the card is in the reader' insert card --log
must 'an agent for two servers that asks each time' start_agent --confirm --origin "$origin" --origin "$elsewhere"
ours=$origin ours_pairing=$pairing
origin=$elsewhere
call state '{}'
same 'our token is not good for another page' '403 not-paired' "$status $(jq -r .error "$work/answer")"
pair &
waiting=$!
ok 'the user is asked for that page' await asked 1
say y
wait $waiting
pairing=$(cat "$work/pairing")
call run "{\"ticket\":\"$bare\"}"
same 'it has an operation' 202 "$status"
ok 'for which the user is asked as well' await asked 2
ok 'and which names its own server' grep -q '^Server: 127.0.0.2:8443' "$work/agent.log"
say y
ok 'that server is called, and does not answer' await ran failed
same 'for that reason' server-gone "$(jq -r .reason "$work/answer")"
origin=$ours pairing=$ours_pairing
call state '{}'
same 'our page is told nothing of it' '200 false ' "$status $(jq -r '"\(.running) \(.run)"' "$work/answer")"
pull card
insert card --log
call run "{\"ticket\":\"$bare\"}"
ok 'the user is asked for ours' await asked 3
say n
ok 'and says no' await ran failed
same 'so that nothing happens' declined "$(jq -r .reason "$work/answer")"
call run "{\"ticket\":\"$bare\"}"
ok 'the user is asked again' await asked 4
say y
ok 'and says yes' await ran confirmed
for n in 5 6; do
    pair &
    waiting=$!
    await asked $n
    say n
    wait $waiting
done
pair
same 'three questions a minute' '429 too-many' "$(cat "$work/paired")"
n=0
while [ $n -lt 61 ] && call hello '{}' && [ "$status" = 200 ]; do
    n=$((n + 1))
done
same 'so many requests a minute' 429 "$status"
pull card
stop_agent

# Told to end: who waits for a card does not wait on, but a card that is being served is served to its end.
must 'the agent starts once more' start_agent
call run "{\"ticket\":\"$bare\"}"
same 'an operation waits for a card' 202 "$status"
ok 'and is given up with the agent' stop_agent
must 'the card is in the reader' insert card --log
must 'the agent starts a last time' start_agent
workers=$(pgrep -P "$(pid_of ferryd)")
# shellcheck disable=SC2086 # two processes
kill -STOP $workers
count=$(commands card)
call run "{\"ticket\":\"$bare\"}"
same 'an operation begins' 202 "$status"
some_commands() {
    [ "$(commands card)" -gt "$count" ]
}
ok 'the card is asked, and the server does not answer' await some_commands
kill -TERM "$(pgrep -f "^$ferry agent --json --port 0" | head -n 1)"
ok 'an agent that is told to end takes no more' await sh -c "! curl -s '$agent/v1/hello' --max-time 2"
ok 'but is still there' running agent
# shellcheck disable=SC2086
kill -CONT $workers
ok 'and serves that card' await grep -q '"what":"confirmed"' "$work/agent.log"
ok 'and ends' await sh -c "! kill -0 $(pid_of agent) 2>/dev/null"
tap_end
