#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The journeys of card holders, from the invitation to the card that proves it, and everything that can come between.
. "$(dirname "$0")/browser.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
other=E2937A51C40D8F6B1E5AA7903CD8B264

# The process that speaks with the network, killed; its supervisor starts another.
kill_front() {
    front=$(pgrep -P "$(pid_of ferryd)" -x front) && kill -KILL "$front"
}

# report TICKET JSON: what a client that lies says of its progress; the status of the answer.
report() {
    curl -sS --cacert "$server/ca.pem" -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
        --data "$2" "$origin/gp/progress?t=$1"
}

# A package with something to recognise in it.
package() {
    head -c 20000 /dev/urandom >"$work/cardferry.deb"
}

must 'a package is offered' package
must 'a server is set up' settings 'issuer = Example Transit' 'help_phone = +49 30 1234567' \
    "client_package = $work/cardferry.deb"
must 'the desk' start_desk
must 'pcscd' start_pcscd
must 'the server starts' start_server
must 'the key is stored' add_key master aes128 "$key"
must 'the type is stored' add_type badge 03 70 30 master 33 \
    '"title": "Staff badge", "title_de": "Dienstausweis"'
must 'a careful type is stored' add_type careful 03 70 30 master 33 '"identify_first": true'
must 'the application is stored' add_app hello "$caps/hello-jc222.cap" '"title": "Greeter", "title_de": "Grüßer",
    "description": "Says hello at the gate.", "description_de": "Grüßt am Tor."'
must 'a bigger one is stored' add_app bulk "$caps/bulk24-jc222.cap" '"title": "Season ticket"'
browse holder.mjs
tap_end
