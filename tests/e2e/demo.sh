#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# demo.sh BUILD-FOLDER: an application travels onto a virtual card, as a newcomer would do it, step by step. A
# server, a card and a client as processes of their own; nothing is left behind.
set -eu
build=$(cd "${1:-build/release}" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/ferry-demo.XXXXXX")
PATH=$build/src/ferryd:$build/src/ferry:$build/src/ferry-card:$PATH
cd "$work"
bold='' plain=''
pace=''
if [ -t 1 ]; then
    # Somebody is watching: as slow as a contact card at 115,200 baud.
    bold=$(printf '\033[1m') plain=$(printf '\033[0m') pace='--fault slow:27'
fi

card_pid='' server_pid=''
leave() {
    status=$?
    trap - EXIT
    if [ "$status" != 0 ]; then
        echo "The demo stopped here. The end of the logs of server and card:"
        tail -n 20 ./*.log
    fi
    for pid in $card_pid $server_pid; do
        kill "$pid" 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
    done
    cd / && rm -rf "$work"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

title() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# Shows a command, runs it, and shows what it said (which is in the file "said").
show() {
    printf '  $ %s\n' "$*"
    said=0
    "$@" >said 2>&1 </dev/null || said=$?
    sed 's/^/    /' said
    return "$said"
}

until_true() {
    for _ in $(seq 200); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.05
    done
    echo "waited in vain for: $*" >&2
    return 1
}

free_port() {
    port=8443
    while ss -Htln "sport = :$port" | grep -q .; do port=$((port + 1)); done
    echo "$port"
}

server_is_up() {
    curl -fsS --cacert server/ca.pem "https://localhost:$port/health"
}

cat <<END
${bold}Cardferry${plain}: an application travels onto a chip card.
Here the card is a virtual one and the server is on this machine; for the rest nothing is different from a card
in a reader far away.
END

title '1. The server: an authority, a certificate, a key-encryption key, a store'
port=$(free_port)
show ferryd init server --listen "127.0.0.1:$port"
echo '  $ ferryd --config server/ferryd.conf &'
ferryd --config server/ferryd.conf >server.log 2>&1 </dev/null &
server_pid=$!
until_true server_is_up
export FERRY_PROFILE="$work/server/admin.conf"

title '2. A card with keys of its own'
show ferry-card create badge.card --new-keys badge.keys
echo '  $ ferry-card run badge.card --socket badge.sock &'
ferry-card run badge.card --socket badge.sock $pace >card.log 2>&1 </dev/null &
card_pid=$!
until_true test -S badge.sock
show ferry card --reader sim:badge.sock

title '3. What the server knows: the key (encrypted to the keeper), the kind of card, the application'
show ferry key add badge-key --type aes128 --file badge.keys
cat >badge.json <<'END'
{"name": "badge", "match": {"iin": "999999"}, "isd": "A000000151000000",
 "scp": "03", "i": "70", "kvn": "30", "key": "badge-key", "kdf": "none", "level": "33"}
END
sed 's/^/    /' badge.json
show ferry type add badge.json
show ferry app add "$root/tests/data/caps/counter-jc222.cap" --name counter

title '4. An order: this application shall be on a card of this kind. Its ticket goes to the card holder'
show ferry order add --app counter --type badge
ticket=$(awk '$1 == "link" { print $2 }' said)

title '5. At the card holder: identify and authenticate, deliver in one packet, settle: three POSTs'
echo "  \$ ferry run $(printf '%.24s' "$ticket")... --reader sim:badge.sock"
ferry run "$ticket" --reader sim:badge.sock

title '6. The card again: the server knows now what it holds, each answer proven by the card'
show ferry card --reader sim:badge.sock

title '7. And it answers: SELECT F00000000201'
echo '  $ 00A4040006F00000000201'
"$build/tests/pcsc/pcsc_probe" sim badge.sock 00A4040006F00000000201 | sed 's/^/    /'

title 'With a reader on your desk'
cat <<END
  The same programs, in $build/src. The card's key and type are yours; the key of a
  card in use burns tries when it is wrong, so begin with a card that you can afford to lose.

    ferryd init DIR; ferryd --config DIR/ferryd.conf &
    export FERRY_PROFILE=DIR/admin.conf
    ferry card                               # what is the card in the reader
    ferry key add NAME --type aes128         # asks for the key
    ferry type add TYPE.json                 # docs/api.md explains the fields
    ferry app add FILE.cap
    ferry order add --app NAME
    ferry run TICKET                         # at the computer with the card

END
