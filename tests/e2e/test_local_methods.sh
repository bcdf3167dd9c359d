#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# "ferry local" over every kind of secure channel: card keys of each protocol, SCP11 with certificates, and signed
# commands.
. "$(dirname "$0")/local.sh"

key=1D6C2F0B8E4A97533AC5F1E0D2B49687
echo $key >"$work/key"
chmod 600 "$work/key"
counter=F00000000201

# comes_and_goes NAME OPTION...: an application is installed and removed.
comes_and_goes() {
    name=$1
    shift
    local_does "$name: an application is installed" install "$caps/counter-jc222.cap" "$@"
    same "$name: it answers" 9000 "$(select_app "$desk" $counter)"
    local_does "$name: and is removed" uninstall "$caps/counter-jc222.cap" "$@"
}

for row in 01:05 01:15 02:04 02:14 02:1A 02:44 02:54 02:15 02:35 02:75 03:00 03:10 03:20 03:30 03:60 03:71; do
    scp=${row%:*}
    card "scp$scp-${row#*:}" "$key" --scp "$scp" --i "${row#*:}" || { fail "$row: no card"; continue; }
    comes_and_goes "SCP$scp i=${row#*:}" --key "$work/key" --allow-weak scp01,scp02
    case $row in
    01:15 | 02:55 | 02:75 | 03:71)
        local_does "SCP$scp i=${row#*:}: a domain gets keys by STORE DATA" create-domain F0000000D1 --by store-data \
            --new-key "$work/key" --key "$work/key" --allow-weak scp01,scp02 ;;
    esac
    pull "$desk"
done

# ---- SCP11
host=$work/host
scp11="--oce-key $host/oce.key --oce-cert $host/oce.cert --ca-key $host/card-ca.pub --ca-kvn 03 --ca-kid 10 --kvn 03"
card pairs "$key" --scp11 abc --host-keys "$host"
for row in SCP11a:11 SCP11c:15; do
    # shellcheck disable=SC2086 # words on purpose
    comes_and_goes "${row%:*}" --method "${row%:*}" --kid "${row#*:}" $scp11
done
echo A0A1A2A3A4A5A6A7A8A9AAABACADAEAF >"$work/new"
chmod 600 "$work/new"
# shellcheck disable=SC2086
local_does 'a domain gets keys over SCP11a' create-domain F0000000D1 --by store-data --new-key "$work/new" --method SCP11a --kid 11 $scp11
local_does 'which open it' list --domain F0000000D1 --key "$work/new" --kvn 30
# shellcheck disable=SC2086
local_does 'also one that goes below another' create-domain F0000000D2 --by store-data --new-key "$work/new" \
    --extradite-to F0000000D1 --method SCP11a --kid 11 $scp11
# shellcheck disable=SC2086
local_refuses 'where they could not be encrypted for PUT KEY' 2 'by store-data' create-domain F0000000D3 --new-key "$work/new" \
    --method SCP11a --kid 11 $scp11
# shellcheck disable=SC2086
local_refuses 'in SCP11b the host has not shown who it is' 4 6982 list --method SCP11b --kid 13 $scp11
# shellcheck disable=SC2086
local_refuses 'a card that another authority has signed' 7 'WRONG KEY' list --method SCP11a --kid 11 --ca-key "$host/ca.pub" $scp11
local_does 'release' release
openssl genrsa -out "$work/rsa.key" 2048 2>/dev/null
openssl rsa -in "$work/rsa.key" -pubout -out "$work/rsa.pub" 2>/dev/null
# shellcheck disable=SC2086
local_refuses "GlobalPlatform's certificates have no RSA authority" 4 'not on an elliptic curve' \
    list --method SCP11a --kid 11 --ca-key "$work/rsa.pub" $scp11
local_does 'release' release
refused 'nor can a test card have one' 1 'elliptic curve' \
    "$ferry_card" create "$work/rsa.card" --test-keys --scp11 b --scp11-card-ca "$work/rsa.key"
local_refuses 'a host without its key' 2 'oce-key' list --method SCP11a --kid 11 --kvn 03 --ca-key "$host/card-ca.pub"
local_refuses 'a public key is no private one' 2 'no private key' list --method SCP11a --kid 11 --kvn 03 --oce-key "$host/oce.pub"
# shellcheck disable=SC2086
local_refuses 'where the card has a say no script is signed ahead' 2 'signed ahead' \
    script "$caps/counter-jc222.cap" --signed --out "$work/a.script" --method SCP11a --kid 11 $scp11
local_does 'release' release
# shellcheck disable=SC2086
local_does 'a script for a group of cards' script "$caps/counter-jc222.cap" --signed --out "$work/group.script" --method SCP11c --kid 15 $scp11
local_does 'plays on the card' play "$work/group.script"
same 'where the application answers' 9000 "$(select_app pairs $counter)"
pull pairs
card member "$key" --scp11 c --host-keys "$host"
local_does 'and on another one of the group' play "$work/group.script"
same 'where it answers too' 9000 "$(select_app member $counter)"
pull member

card long "$key" --scp11 abc --scp11-mac 16 --host-keys "$host"
for row in SCP11a:11 SCP11c:15; do
    # shellcheck disable=SC2086
    comes_and_goes "${row%:*} of a card that announces S16" --method "${row%:*}" --kid "${row#*:}" $scp11
done
pull long

# ---- signed commands
for i in 01 02 03 04 05; do
    card "signed-$i" "$key" --signed $i --host-keys "$host"
    "$ferry_card" keys "$work/signed-$i.card" --kvn 40 --kid 02 >"$work/signed-$i.pub"
    comes_and_goes "F0 i=$i" --method F0 --kvn 40 --host-key "$host/server-$i.key" --card-key "$work/signed-$i.pub" --allow-weak none
    # More than 256 blocks of 255 bytes.
    [ $i != 02 ] || local_does "F0 i=$i: a long load file" load "$caps/bulk120-jc222.cap" --method F0 --kvn 40 \
        --host-key "$host/server-$i.key" --card-key "$work/signed-$i.pub"
    pull "signed-$i"
done
desk=signed-04
insert signed-04
local_refuses 'another card than the one that is known' 7 'WRONG KEY' \
    list --method F0 --kvn 40 --host-key "$host/server-04.key" --card-key "$host/server-04.pub"
local_refuses 'is not tried again' 17 'local release' \
    list --method F0 --kvn 40 --host-key "$host/server-04.key" --card-key "$work/signed-04.pub"
pull signed-04
card short "$key" --signed 01 --host-keys "$host" --short-only
"$ferry_card" keys "$work/short.card" --kvn 40 --kid 02 >"$work/short.pub"
local_refuses 'long signatures need extended length' 4 'extended length' \
    list --method F0:01 --kvn 40 --host-key "$host/server-01.key" --card-key "$work/short.pub"
pull short
tap_end
