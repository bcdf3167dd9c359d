#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The virtual card in a real PC/SC reader: it is found, answers at the speed of the wire, survives the daemon,
# keeps what it was told, and one process has it at a time. Also what its verbs refuse.
. "$(dirname "$0")/../harness/private.sh"
card=$build/src/ferry-card/ferry-card
nvm=$work/card.nvm

refused 'help of a verb' 0 'create FILE' "$card" create --help
refused 'version' 0 '^ferry-card [0-9]' "$card" --version
refused 'an option that is none' 2 '^ferry-card: unrecognized' "$card" create "$nvm" --bogus
ok 'a card is made' "$card" create "$nvm" --test-keys --serial 01020304
refused 'and not made twice' 1 'exists already' "$card" create "$nvm" --test-keys
refused 'keys are not a matter of course' 2 'give one of' "$card" create "$work/other.nvm"
refused 'a master key needs its derivation' 2 'go together' "$card" create "$work/other.nvm" --master /dev/null
refused 'a value of i that SCP02 has not is refused' 2 'go together' \
    "$card" create "$work/other.nvm" --test-keys --scp 02 --i 02
refused 'SCP02 has keys of 128 bits' 2 'go together' \
    "$card" create "$work/other.nvm" --test-keys --scp 02 --key-bits 256
ok 'new keys are written' "$card" create "$work/keys.nvm" --new-keys "$work/keys" --key-bits 256
same 'for their owner alone' '-rw-------' "$(stat -c %A "$work/keys")"
same 'three lines' 3 "$(wc -l <"$work/keys")"
refused 'keys of a card that was not made are taken away' 1 'exists already' \
    "$card" create "$work/keys.nvm" --new-keys "$work/more" --key-bits 128
ok 'and are not left' test ! -e "$work/more"
ok 'keys from standard input' sh -c "head -n 1 '$work/keys' | '$card' create '$work/stdin.nvm' --keys - --key-bits 256"
same 'one line is all three keys' 1 "$("$card" show --json "$work/stdin.nvm" |
    jq -r '.keys[0] | .kcv_enc, .kcv_mac, .kcv_dek' | sort -u | wc -l)"
ok 'show never prints a key' sh -c "! '$card' show '$work/keys.nvm' | grep -iqf '$work/keys'"
refused 'what is no card is said so' 1 'not the memory of a card' "$card" show "$work/keys"

for fault in lie lie:x lie:more:0 lie:more:1x tear:0 tear:1:x slow: slow:-1 loud; do
    refused "there is no fault $fault" 2 'not possible' "$card" run "$nvm" --socket "$work/socket" --fault "$fault"
done

spawn card "$card" run "$nvm" --vpcd "localhost:$vpcd_port" --log
ok 'the daemon starts after the card' start_pcscd
ok 'the card is in the reader' "$probe" present
refused 'one process has the card' 1 'another process' "$card" run "$nvm" --socket "$work/socket"
same 'it says who it is' '42039999999000' "$("$probe" apdu 80CA004200)"
same 'over T=1 without GET RESPONSE' '9000' "$("$probe" apdu 00A40400 | tail -c 5)"
"$probe" apdu 8050000008010203040506070800 >"$work/update"
same 'its counter moved' 'C1030000019000' "$("$probe" apdu 80CA00C100)"
ok 'a running card can be looked at' sh -c "'$card' show --json '$nvm' | jq -e '.keys[0].counter == 1'"

# Nagle's algorithm and a delayed acknowledgement would cost 40 ms for each command.
commands=$(for n in $(seq 100); do echo 80CA9F7F00; done)
before=$(date +%s%N)
# shellcheck disable=SC2086 # words on purpose
"$probe" apdu $commands >"$work/hundred"
took=$((($(date +%s%N) - before) / 1000000))
same 'a hundred commands, a hundred answers' 100 "$(grep -c '9000$' "$work/hundred")"
ok "none waits for an acknowledgement ($took ms)" test "$took" -lt 2000

stop_pcscd
ok 'the daemon comes back' start_pcscd
ok 'so does the card' "$probe" present
same 'it remembers' 'C1030000019000' "$("$probe" apdu 80CA00C100)"
stop card KILL
ok 'a killed card is out of the reader' "$probe" absent
spawn card "$card" run "$nvm" --vpcd "localhost:$vpcd_port" --t0
ok 'and in it again' "$probe" present
same 'it remembers still' 'C1030000019000' "$("$probe" apdu 80CA00C105)"
same 'over T=0 a response is fetched' '6120 ' \
    "$("$probe" apdu 8050000008010203040506070800 00C0000020 | head -n 1 | tr '\n' ' ')"
ok 'it leaves when it is told to' stop card
ok 'and is out of the reader' "$probe" absent
tap_end
