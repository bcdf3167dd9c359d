#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Sequences end to end: generated, shown, edited, stored anew; and data of the card woven in, some of it derived by the keeper. What must
# have arrived is computed by another program (openssl), and looked for in the card's memory.
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
pin_key=2A6F93D1084CE7B5F1A8603D5E972BC4
counter=F00000000201
kdd=00112233445566778899
serial=0BADCAFE

# Does the card's memory hold these bytes? The file is read as text of hexadecimal digits.
holds() {
    od -An -v -tx1 "$work/badge.card" | tr -d ' \n' | grep -qi "$1"
}

lacks() {
    ! holds "$1"
}

# SP 800-108 in counter mode with CMAC over label and the card's key diversification data.
derived() {
    openssl kdf -binary -keylen 8 -kdfopt mac:CMAC -kdfopt cipher:AES-128-CBC -kdfopt mode:COUNTER -kdfopt "hexkey:$pin_key" \
        -kdfopt "salt:$1" -kdfopt "hexinfo:$kdd" KBKDF | od -An -v -tx1 | tr -d ' \n'
}

must 'the server starts' start_server
must 'the card key is stored' add_key badge aes128 "$key"
ok 'a key to derive from is stored' sh -c "echo $pin_key | '$ferry' key add pin-key --type aes128 --use derive --file -"
must 'a type is stored' add_type badge 03 70 30 badge 33
must 'the application is stored' "$ferry" app add "$caps/counter-jc222.cap" --name counter --parameters 000A0005
same 'its sequence was generated' "load
install module=$counter instance=$counter parameters=000A0005" "$("$ferry" app show counter --sequence)"

# Edited and stored anew: parameters that name the card, and data of the card with a derived value in it.
cat >"$work/sequence" <<END
# A counter that starts at 10, and data for this card alone.
load hash=sha256
install module=$counter instance=F000000002AA parameters=000A0005
personalize instance=F000000002AA
store data=0104\${card.serial}0208\${derive:pin-key:PIN:8}
END
ok 'an edited sequence is stored' "$ferry" app sequence counter "$work/sequence"
same 'and shown as it was stored' "$(cat "$work/sequence")" "$("$ferry" app show counter --sequence)"

new_card badge "$key" --scp 03 --i 70 --kvn 30 --kdd $kdd --serial $serial
insert badge
order --app counter --type badge
run badge
ended 'it is delivered' confirmed none 0
same 'in three POSTs' 3 "$posts"
same 'under its own name' 9000 "$(select_app badge F000000002AA)"
ok 'the card has its serial number in its data' holds "0104${serial}0208"
ok 'and the derived value, as openssl computes it' holds "0104${serial}0208$(derived PIN)"
ok 'which is not that of another label' lacks "$(derived PUK)"
for log in ferryd card-badge; do
    same "no derived value in $log.log" 0 "$(grep -ci "$(derived PIN)" "$work/$log.log")"
done
same 'nor in the database' 1 "$(od -An -v -tx1 "$server/store/ferryd.db" "$server/store/ferryd.db-wal" | tr -d ' \n' | grep -qi "$(derived PIN)"; echo $?)"

# What is refused.
refused 'a derived value never leaves unencrypted: the level cannot be lowered' 4 'only be raised' "$ferry" order add --app counter --type badge --level 01
printf 'load\ninstall module=F0000000FF\n' >"$work/sequence"
refused 'a wrong module is named with its line' 14 'line 2' "$ferry" app sequence counter "$work/sequence"
printf 'load\npersonalize instance=F000000002AA\nstore data=${card.colour}\n' >"$work/sequence"
refused 'an unknown place is named with its line' 14 'line 3' "$ferry" app sequence counter "$work/sequence"
printf 'load\ninstall module=F00000000201 instance=F000000002AA\npersonalize instance=F000000002AA\nstore data=${derive:nobody:PIN:8}\n' >"$work/sequence"
ok 'a key that is not there yet may be named' "$ferry" app sequence counter "$work/sequence"
order --app counter --type badge --remove
run badge
ended 'the application is removed' confirmed none 0
order --app counter --type badge
run badge
ended 'and without its key not delivered again' failed no-key 7
pull badge
tap_end
