#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Keys by "ferry local put-key": proven by a channel with the new ones, refused before the card is touched where they
# can't be right, and unknown when the answer was lost.
. "$(dirname "$0")/local.sh"

key=1D6C2F0B8E4A97533AC5F1E0D2B49687
for row in key:$key new:A0A1A2A3A4A5A6A7A8A9AAABACADAEAF long:$key$key; do
    echo "${row#*:}" >"$work/${row%%:*}"
done
printf '%s\n' 00112233445566778899AABBCCDDEEFF 102132435465768798A9BACBDCEDFE0F 2031425364758697A8B9CADBECFD0E1F >"$work/three"
chmod 600 "$work"/key "$work"/new "$work"/long "$work"/three

card keys "$key"
local_does 'a dry run shows one PUT KEY' put-key 30 --replace 30 --new-key "$work/three" --key "$work/key" --dry-run
said 'in words' 'PUT KEY: in place of version 30, from key 01'
said 'without any key' '! 00112233\|1021324'
local_does 'and needs no key of the card' put-key 30 --replace 30 --new-key "$work/three" --dry-run
local_does 'the three keys are replaced' put-key 30 --replace 30 --new-key "$work/three" --key "$work/key" --verbose
said 'which a channel shows' 'a channel with them shows it'
said 'and no key is in the trace' '! 00112233\|1021324\|20314253'
local_does 'the new ones open the card' list --key "$work/three"
local_refuses 'the old ones do not' 7 'WRONG KEY' list --key "$work/key"
local_does 'release' release
local_does 'another version is added' put-key 31 --new-key "$work/new" --key "$work/three"
held 'beside the first' '30 31' '[.keys[].kvn] | sort | join(" ")'
local_does 'each opens with its own: the first' list --key "$work/three" --kvn 30
local_does 'and the second' list --key "$work/new" --kvn 31
local_refuses 'a version that is there is not added' 2 '--replace 31' put-key 31 --new-key "$work/new" --key "$work/three" --kvn 30
local_refuses 'a version that is not there is not replaced' 2 'no key 01 of version 44' put-key 44 --replace 44 --new-key "$work/new" --key "$work/three" --kvn 30
local_refuses 'keys of another length' 2 'add them instead' put-key 30 --replace 30 --new-key "$work/long" --key "$work/three" --kvn 30
local_refuses 'keys of another type' 2 'another type' put-key 30 --replace 30 --new-key "$work/new" --new-type des --key "$work/three" --kvn 30
local_refuses 'keys stronger than what carries them' 18 'stronger' put-key 40 --new-key "$work/long" --key "$work/three" --kvn 30
local_refuses 'a version that is none' 2 '01 to 7F' put-key 80 --new-key "$work/new" --key "$work/three" --kvn 30
local_refuses 'what is too long for keys' 2 'too long for a key' put-key 32 --new-key "$0" --key "$work/three" --kvn 30
echo 0123 >"$work/malformed"
local_refuses 'malformed new keys' 2 "can't be used" put-key 32 --new-key "$work/malformed" --key "$work/three" --kvn 30
held 'nothing of that reached the card' '30 31' '[.keys[].kvn] | sort | join(" ")'
local_does 'derived keys' put-key 31 --replace 31 --new-key "$work/new" --new-kdf kdf3 --key "$work/three" --kvn 30
local_does 'open by their derivation' list --key "$work/new" --kdf kdf3 --kvn 31
pull keys

# the answer is lost: SELECT and 6 questions, channel 2, then PUT KEY is the tenth command
for when in before after; do
    new_card "lost-$when" "$key"
    desk=lost-$when
    insert "lost-$when" --fault "tear:10:$when"
    local_refuses "an answer that is lost is unknown ($when)" 5 'keep the old ones' put-key 30 --replace 30 --new-key "$work/three" --key "$work/key"
    again "lost-$when"
done
desk=lost-after
local_does 'looking finds the new keys' list --key "$work/three" --kvn 30
desk=lost-before
local_refuses 'or not' 7 'WRONG KEY' list --key "$work/three" --kvn 30
local_does 'release' release
local_does 'but the old ones' list --key "$work/key" --kvn 30
pull lost-before
pull lost-after

# SCP02
card classic "$key" --profile classic
local_does 'Triple-DES keys' put-key 20 --new-key "$work/three" --key "$work/key" --allow-weak scp02
local_does 'open the card' list --key "$work/three" --kvn 20 --allow-weak scp02
local_refuses 'AES keys are not carried by them' 18 'stronger' put-key 32 --new-type aes --new-key "$work/new" --key "$work/three" --kvn 20 --allow-weak scp02
pull classic

# Single DES: off unless it is allowed
echo 1D6C2F0B8E4A9753 >"$work/single"
echo A0A1A2A3A4A5A6A7 >"$work/single-new"
chmod 600 "$work/single" "$work/single-new"
card museum 1D6C2F0B8E4A9753 --profile museum
local_refuses 'keys of 8 bytes' 18 'allow-weak des' list --key "$work/single" --allow-weak scp01
local_does 'open a card that has such' list --key "$work/single" --allow-weak des,scp01
local_does 'and replace each other' put-key 20 --new-key "$work/single-new" --key "$work/single" --allow-weak des,scp01
local_does 'with a channel to show it' list --key "$work/single-new" --kvn 20 --allow-weak des,scp01
local_refuses 'they carry nothing stronger' 18 'stronger' put-key 21 --new-key "$work/key" --key "$work/single-new" --kvn 20 --allow-weak des,scp01
pull museum
card double "$key" --profile classic --scp 01 --i 15
local_refuses 'nor do they come to a card with longer ones' 4 'refused' put-key 20 --new-key "$work/single-new" --new-type des --key "$work/key" --allow-weak des,scp01
pull double

# One base key: three times the same
card base "$key" --profile classic --scp 02 --i 54
local_does 'a base key' put-key 20 --new-key "$work/new" --key "$work/key" --allow-weak scp02
local_does 'opens the card' list --key "$work/new" --kvn 20 --allow-weak scp02
local_refuses 'three different ones are none' 4 'refused' put-key 21 --new-key "$work/three" --key "$work/new" --kvn 20 --allow-weak scp02
pull base
tap_end
