#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The agent of a managed desk, and every page that might talk to it: the allowed origin reaches a card, with a ticket
# and after the user was asked once; whatever anybody else sends, and however, the card hears nothing.
. "$(dirname "$0")/browser.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
agent_port=28573

start_agent() {
    spawn agent ferry agent --profile "$work/holder.conf" --origin "$origin"
    await agent_is_there
}

# Strangers are refused, so an answer of any kind is a sign of life.
agent_is_there() {
    [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$agent_port/")" != 000 ]
}

# Commands that the card in the reader has heard since it was put in.
heard() {
    grep -c 'card\.command' "$work/card-$1.log"
}

# The card is taken out, and put in again.
swap() {
    ! running card-good || pull good
    insert good --log
}

listens_only_here() {
    [ "$(ss -Htln "sport = :$agent_port" | awk '{ print $4 }' | LC_ALL=C sort | paste -sd' ')" = \
        "127.0.0.1:$agent_port [::1]:$agent_port" ]
}

must 'a server is set up' settings "agent_port = $agent_port"
must 'the desk' start_desk
must 'certificates of other sites' certificate foreign /CN=foreign.test \
    subjectAltName=DNS:foreign.test,DNS:rebind.test
must 'pcscd' start_pcscd
must 'the server starts' start_server
must 'the key is stored' add_key master aes128 "$key"
must 'the type is stored' add_type badge 03 70 30 master 33
must 'the application is stored' add_app hello "$caps/hello-jc222.cap"
must 'another is stored' add_app counter "$caps/counter-jc222.cap"
must 'a card is made' new_card good "$key"
must 'the card is in the reader' insert good --log
must 'the agent' start_agent
ok 'it listens on loopback only' listens_only_here
browse loopback.mjs
tap_end
