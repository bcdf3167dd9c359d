#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The server's processes: what each gives up, what is found in its memory after keys were imported and used, and what
# happens when one dies.
. "$(dirname "$0")/world.sh"

search=$build/tests/e2e/memory_search
# Three different keys, so that each can be looked for.
enc=3A91C4E7052B8D6F10F47A6EC2B9D538
mac=84D0B62F9E17A35CC8037BE154F92A6D
dek=5FE2086B73CD914A2E9BD4A1867035FC

child() {
    pgrep -P "$(pid_of ferryd)" -x "$1"
}

status_of() {
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$(child "$1")/status"
}

# As text too: hex in both cases, and base64 with and without the other alphabet.
as_hex_of_text() {
    printf %s "$1" | od -An -tx1 | tr -d ' \n'
}

spellings() {
    lower=$(echo "$1" | tr A-F a-f)
    echo "$1 $(as_hex_of_text "$1") $(as_hex_of_text "$lower")"
}

# absent_in WHERE PID: none of the three keys, in no spelling, and nothing private of the key pairs.
absent_in() {
    same "none of the imported keys is in $1" 0 \
        "$("$search" pid "$2" $(spellings $enc) $(spellings $mac) $(spellings $dek))"
    same "no private number of a key pair is in $1" 0 "$("$search" pid "$2" $(private_numbers))"
}

# private FILE NAME: a private number of a key pair in PEM, as openssl prints it behind its name.
private() {
    openssl pkey -in "$1" -noout -text | sed -n "/^$2:/,/^[a-zA-Z]/{/^ /p}" | tr -d ' :\n' | sed 's/^00//' | tr a-f A-F
}

private_numbers() {
    for private_number in "$oce" "$server_ec" "$server_rsa"; do
        spellings "$private_number"
    done
}

# deliver_pairs: the server's key pairs are used, each for a whole delivery.
deliver_pairs() {
    for pair in eleven ec rsa; do
        order --app hello-jc222 --type $pair
        run $pair
        ended "$1: $pair" confirmed none 0
    done
}

plant() {
    : >"$work/planted.log"
    spawn planted "$search" plant "$1"
    await grep -q planted "$work/planted.log"
}

restarted() {
    new=$(child "$1") && [ -n "$new" ] && [ "$new" != "$2" ] && server_is_up
}

# deliver NAME: a whole delivery to the card in the reader.
deliver() {
    order --app hello-jc222 --type badge
    run card
    ended "$1" confirmed none 0
    order --remove --app hello-jc222 --type badge
    run card
    ended "$1: and it is removed again" confirmed none 0
}

must 'the server starts' start_server
kek=$(od -An -tx1 "$server/keeper/kek" | tr -d ' \n')
token=$(as_hex_of_text "$(cat "$server/admin.token")")

# --- what they gave up ---

for role in keeper front; do
    same "$role: no new rights" 1 "$(status_of $role NoNewPrivs)"
    same "$role: system calls are filtered" 2 "$(status_of $role Seccomp)"
    same "$role: no core dumps" '0 0' "$(awk '/core file size/ { print $5, $6 }' "/proc/$(child $role)/limits")"
    same "$role: nothing secret among its arguments" 0 \
        "$(cat "/proc/$(child $role)/cmdline" "/proc/$(child $role)/environ" >"$work/seen" &&
            "$search" file "$work/seen" "$kek" "$token")"
done
same 'keeper: two sockets and the standard descriptors' '0 1 2 3 4' "$(ls "/proc/$(child keeper)/fd" | paste -sd' ')"
ok 'keeper: a network of its own, without any' sh -c "! cmp -s /proc/$(child keeper)/net/dev /proc/$(child front)/net/dev"

# --- what is in their memory ---

keys=$(printf '%s\n' $enc $mac $dek)
must 'three keys are imported' add_key master aes128 "$keys"
must 'a card with these keys is made' new_card card "$keys"
must 'the type is stored' add_type badge 03 70 30 master 33
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap"
insert card
deliver 'the keys are used'

host=$work/host
must 'a card for SCP11 is made' new_card eleven "$mac" --scp11 a --host-keys "$host"
must 'one for signed commands' new_card ec "$mac" --signed 04 --host-keys "$host"
must 'one for RSA' new_card rsa "$mac" --signed 01 --host-keys "$host"
oce=$(private "$host/oce.key" priv) server_ec=$(private "$host/server-04.key" priv) server_rsa=$(private "$host/server-01.key" prime1)
same 'their private numbers are known here' '64 64 256' "${#oce} ${#server_ec} ${#server_rsa}"
for card in eleven ec rsa; do
    insert $card
done
must "the host's key pair is stored" add_pair oce host ec256 "$host/oce.key"
must 'and whom the cards are trusted by' add_pair cards trust ec256 "$host/card-ca.pub"
must "the server's key pair is stored" add_pair server-ec host ec256 "$host/server-04.key"
must 'and the one for RSA' add_pair server-rsa host rsa2048 "$host/server-01.key"
must 'the type for SCP11 is stored' add_pair_type eleven 11 01 03 33 \
    "\"key\": \"oce\", \"trust\": \"cards\", \"ca_kvn\": \"03\", \"ca_kid\": \"10\", \"certificates\": [\"$(hex_of "$host/oce.cert")\"]"
must 'the type for signed commands is stored' add_pair_type ec F0 04 40 33 '"key": "server-ec"'
must 'and the one for RSA' add_pair_type rsa F0 01 40 33 '"key": "server-rsa"'
must "the card's public key is stored" add_peer ec ec ec256
must 'and the RSA one' add_peer rsa rsa rsa2048
deliver_pairs 'key pairs are used'

must 'a key is planted' plant "$enc"
ok 'the search finds what is planted' [ "$("$search" pid "$(pid_of planted)" "$enc")" -ge 1 ]
stop planted
must 'a private number is planted' plant "$server_rsa"
ok 'and a private number that is planted' [ "$("$search" pid "$(pid_of planted)" $(private_numbers))" -ge 1 ]
stop planted
ok 'the search finds the key-encryption key in the keeper' [ "$("$search" pid "$(child keeper)" "$kek")" -ge 1 ]
ok 'the search finds an address in the front' \
    [ "$("$search" pid "$(child front)" "$(as_hex_of_text "$(setting url)")")" -ge 1 ]

absent_in 'the front' "$(child front)"
absent_in 'the supervisor' "$(pid_of ferryd)"
absent_in 'the keeper, between two requests' "$(child keeper)"
same 'the key-encryption key is not in the front' 0 "$("$search" pid "$(child front)" $(spellings "$kek"))"
same 'the key-encryption key is not in the supervisor' 0 "$("$search" pid "$(pid_of ferryd)" $(spellings "$kek"))"
same 'the token is in no log' 0 "$("$search" file "$work/ferryd.log" "$token")"
for file in "$server"/store/* "$work/ferryd.log"; do
    same "no key in ${file##*/}" 0 \
        "$("$search" file "$file" $(spellings $enc) $(spellings $mac) $(spellings $dek) $(spellings "$kek"))"
    same "no private number in ${file##*/}" 0 "$("$search" file "$file" $(private_numbers))"
done

# --- rows that were swapped behind the server's back ---

rows() {
    sqlite3 "$server/store/ferryd.db" "$1"
}

must 'another key is imported' add_key other aes128 "$mac"
seal=$(rows "SELECT quote(sealed) FROM keys WHERE name = 'master'")
ok 'a row gets the sealed key of another' \
    rows "UPDATE keys SET sealed = (SELECT sealed FROM keys WHERE name = 'other') WHERE name = 'master'"
order --app hello-jc222 --type badge
run card
swapped=$outcome/$reason
ok 'a row is changed by one bit' rows "UPDATE keys SET sealed = CAST(substr($seal, 1, 40) || X'00' || substr($seal, 42) AS BLOB) WHERE name = 'master'"
order --app hello-jc222 --type badge
run card
changed=$outcome/$reason
same 'neither opens a channel, and neither is blamed on the card' 'failed/server-fault failed/server-fault' "$swapped $changed"
ok 'the row as it was' rows "UPDATE keys SET sealed = $seal WHERE name = 'master'"
deliver 'the row as it was opens'

# --- when one dies ---

for role in keeper front; do
    old_front=$(child front) old=$(child $role)
    kill -s KILL "$old"
    ok "a $role that was killed is started again" await restarted $role "$old"
    ok "and the front is a new one" [ "$(child front)" != "$old_front" ]
    deliver "after the $role's death"
done
old=$(child front)
kill -s SYS "$old"
ok 'a front that its confinement kills is started again' await restarted front "$old"
ok 'and the log says why' grep -q 'role=front signal=31 why=confinement' "$work/ferryd.log"

supervisor=$(pid_of ferryd) keeper=$(child keeper) front=$(child front)
stop_server TERM
same 'it stops in order, and says so' 0 $?
ok 'nothing is left of it' sh -c "! kill -0 $supervisor $keeper $front"

must 'it starts again' start_server
kill -s STOP "$(child front)"
stop_server TERM
same 'a front that does not stop is killed, and that is no success' 1 $?
ok 'and the log says so' grep -q 'supervisor.killed role=front' "$work/ferryd.log"

must 'it starts once more' start_server
keeper=$(child keeper) front=$(child front)
stop_server KILL
ok 'without its supervisor it ends by itself' await sh -c "! kill -0 $keeper 2>/dev/null && ! kill -0 $front 2>/dev/null"

# --- what keeps it from starting ---

chmod 0644 "$server/keeper/kek"
refused 'a key that others can read' 3 'has mode 0644; it must be 0600 or 0400' "$ferryd" -c "$server/ferryd.conf"
refused 'and the check says so' 3 'has mode 0644; it must be 0600 or 0400' "$ferryd" check -c "$server/ferryd.conf"
chmod 0600 "$server/keeper/kek"
sed 's/^store = .*/store = \/nowhere\/ferryd.db/' "$server/ferryd.conf" >"$work/bad.conf"
refused 'a store that cannot be opened' 1 'store' "$ferryd" -c "$work/bad.conf"
sed 's/^listen/listne/' "$server/ferryd.conf" >"$work/bad.conf"
refused 'a configuration that is none' 3 'bad.conf:4: there is no such key' "$ferryd" -c "$work/bad.conf"
refused 'no configuration' 3 'No such file' "$ferryd" -c "$work/none.conf"
refused 'a command that is none' 2 'there is no such command' "$ferryd" serve
refused 'init of a folder with something in it' 1 'not an empty folder' "$ferryd" init "$server"
ok 'the check finds nothing else' "$ferryd" check -c "$server/ferryd.conf"
tap_end
