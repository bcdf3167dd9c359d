#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Work with the card and its key on the desk, without a server: what "ferry local" does to a card, and what it
# refuses before the card is changed.
. "$(dirname "$0")/local.sh"

key=1D6C2F0B8E4A97533AC5F1E0D2B49687
hello=F00000000101
echo $key >"$work/key"
chmod 600 "$work/key"

# ---- looking
card desk "$key"
local_does 'an empty card is listed' list --key "$work/key"
said 'with its card manager' 'card manager'
local_does 'facts need no key' info
said 'who it is' '^number '
said 'and when its chip was made' '^production.fabricated  *6001 = '
said 'not what nobody has filled in' '! personalizer'
ok 'all columns are one' sh -c '[ "$(grep -v "^  " "$1" | sed "s/^\([^ ]* *\).*/\1/" | awk "{ print length }" | sort -u | wc -l)" = 1 ]' - "$work/out"
ok 'the verbs are listed' sh -c '"$1" local --help | grep -q "^  local put-key NEW-VERSION"' - "$ferry"
refused 'and of these alone' 2 'usage: ferry local VERB' "$ferry" local
refused 'a word that is none' 2 "'lokal --help' is not a verb" "$ferry" lokal --help
said 'how much is free' 'free_bytes'
said 'which hashes it knows' 'SHA-256'
said 'no registry without a key' '! registry'
local_does 'with a key they have the registry' info --key "$work/key" --json
same 'as JSON' 'card manager' "$(jq -r '.registry[0].kind' "$work/out")"
same 'the channel is the strongest that the card announces' 'SCP03 i=70, key version 30, level 33' "$(jq -r .channel "$work/out")"

# ---- sources of keys
export FERRY_TEST_KEY="$key $key $key"
local_does 'a key from the environment' list --key-env FERRY_TEST_KEY
ok 'a key from standard input' sh -c "'$ferry' local list --reader '$(reader_of desk)' --key - <'$work/key'"
for row in "short:1D6C2F" "odd:${key}0" "no-hex:${key%?}G" "two:$key $key" "four:$key $key $key $key" \
    "mixed:$key ${key}0011223344556677 $key" "nothing:#$key"; do
    echo "${row#*:}" >"$work/malformed"
    local_refuses "a malformed key file is refused: ${row%%:*}" 2 "can't be used" list --key "$work/malformed"
    said 'and nothing of it is shown' "! ${key%????????????????????}"
done
local_refuses 'a key is no argument' 2 'command line can be seen' list --key $key
local_refuses 'nor the name of a variable' 2 'command line can be seen' list --key-env $key
local_refuses 'a variable that is not set' 2 'not set' list --key-env FERRY_NO_SUCH
local_refuses 'a file that is not there' 2 "can't be read" list --key "$work/no-such"
local_refuses 'two sources are one too many' 2 'one place' list --key "$work/key" --default-key
echo $key$key >"$work/long"
local_refuses 'a key that is longer than the card says' 2 'have 16 bytes' list --key "$work/long"
refused 'without a terminal a key is not waited for' 2 'no terminal' setsid "$ferry" local list --reader "$(reader_of desk)"
held 'no try was spent on any of these' 0 '.keys[0].failures'

# ---- options from a file
printf '# my card\nkey = %s\nkvn=30\nlevel = 03\n' "$work/key" >"$work/options"
local_does 'options from a file' list --options "$work/options" --json
same 'are used' 'SCP03 i=70, key version 30, level 03' "$(jq -r .channel "$work/out")"
local_does 'the command line wins' list --options "$work/options" --level 01 --json
same 'over the file' 'SCP03 i=70, key version 30, level 01' "$(jq -r .channel "$work/out")"
echo 'colour = red' >"$work/options.bad"
local_refuses 'an unknown option in a file' 2 'line 1' list --options "$work/options.bad"
echo 'level' >"$work/options.bad"
local_refuses 'an option without its value' 2 'value is missing' list --options "$work/options.bad"
local_refuses 'a level that the method has not' 2 'can do 01, 03' list --key "$work/key" --level 02
local_refuses 'a method that is none' 2 'not a method' list --key "$work/key" --method SCP03:77
local_refuses 'an AID that is none' 2 '5 to 16 bytes' list --key "$work/key" --domain A0

# ---- dry runs
local_does 'a dry run needs no key' install "$caps/hello-jc222.cap" --dry-run
said 'and shows each command in words' 'LOAD block 0, '
said 'to the end' 'INSTALL \[for install and make selectable\] applet F00000000101'
local_does 'with a key it looks at the card' install "$caps/hello-jc222.cap" --dry-run --key "$work/key" --json
same 'and gives the commands as JSON' 'dry-run 4' "$(jq -r '"\(.outcome) \(.commands | length)"' "$work/out")"
held 'it changed nothing' 0 '.packages | length'

# ---- install, uninstall
local_does 'an application is installed' install "$caps/hello-jc222.cap" --key "$work/key"
same 'and answers' 9000 "$(select_app desk $hello)"
local_refuses 'not over itself' 4 'holds the package.*--replace' install "$caps/hello-jc222.cap" --key "$work/key"
local_does 'but in its place' install "$caps/hello-jc222.cap" --key "$work/key" --replace
local_does 'a second instance of it' install "$caps/hello-jc222.cap" --key "$work/key" --no-load --instance F00000000199
same 'answers too' 9000 "$(select_app desk F00000000199)"
local_refuses 'an instance that is there' 4 'holds an application F00000000199 already' \
    install "$caps/hello-jc222.cap" --key "$work/key" --no-load --instance F00000000199
local_does 'is replaced alone' install "$caps/hello-jc222.cap" --key "$work/key" --no-load --instance F00000000199 --replace --params 0102
held 'with its parameters' 2 '.applications[] | select(.aid == "F00000000199") | .parameters'
local_does 'one instance is removed' uninstall F00000000199 --key "$work/key"
same 'and is gone' 6A82 "$(select_app desk F00000000199)"
same 'the other is not' 9000 "$(select_app desk $hello)"
local_does 'a package is removed by its file' uninstall "$caps/hello-jc222.cap" --key "$work/key"
held 'with all that came from it' '0 0' '"\(.packages | length) \(.applications | length)"'
local_does 'once more there is nothing to do' uninstall "$caps/hello-jc222.cap" --key "$work/key"
said 'which is said' 'does not hold F'
local_does 'a file is only loaded' load "$caps/hello-jc222.cap" --key "$work/key" --hash sha256
held 'a package without instance' '1 0' '"\(.packages | length) \(.applications | length)"'
local_refuses 'a delete of nothing is refused by the card' 4 '6A88' delete F0000000FF --key "$work/key"
local_does 'a delete of the package' delete F000000001 --key "$work/key"
local_does 'privileges by name' install "$caps/hello-jc222.cap" --key "$work/key" --privileges card-reset
held 'reach the card' 040000 '.applications[0].privileges'

# ---- what is found out before the first change
local_refuses 'an import that is missing' 15 'needs package' install "$caps/app-jc222.cap" --key "$work/key"
local_refuses 'a file that is no CAP file' 14 'ZIP' install "$caps/bad/truncated.cap" --key "$work/key"
local_refuses 'a file that 256 blocks of this size do not hold' 14 '256 blocks' install "$caps/bulk120-jc222.cap" --block-size 247 --key "$work/key"
local_does 'a file of more than 256 short blocks goes with extended length' load "$caps/bulk120-jc222.cap" --key "$work/key"
local_does 'and goes again' uninstall "$caps/bulk120-jc222.cap" --key "$work/key"
local_refuses 'an applet that the file has not' 2 'no applet' install "$caps/hello-jc222.cap" --module F0000000FF --key "$work/key"
local_refuses 'parameters that are no bytes' 2 'hexadecimal' install "$caps/hello-jc222.cap" --params 0g --key "$work/key"
local_refuses 'privileges that are none' 2 'privileges' install "$caps/hello-jc222.cap" --privileges fly --key "$work/key"
local_refuses 'a domain that is not there' 4 'no security domain' install "$caps/till-jc222.cap" --to F0000000FF --key "$work/key"
local_refuses 'a domain that is an application' 4 'not a security domain' install "$caps/till-jc222.cap" --to $hello --key "$work/key"
local_refuses 'a Java Card too old' 15 'needs package' install "$caps/counter-jc305.cap" --java-card 2.1.1 --key "$work/key"
held 'after all these the card is as it was' '1 1 0' '"\(.packages | length) \(.applications | length) \(.keys[0].failures)"'

# ---- states
local_does 'an application is locked' lock $hello --key "$work/key"
held 'as the card says' LOCKED '.applications[0].state'
local_does 'and unlocked' unlock $hello --key "$work/key"
same 'and answers again' 9000 "$(select_app desk $hello)"
local_refuses 'the card is not locked by the way' 18 'confirm 999999' lock card --key "$work/key"
pull desk

# ---- memory
card small "$key" --memory 8000
local_refuses 'a load file that does not fit' 16 'nothing was changed' install "$caps/bulk24-jc222.cap" --key "$work/key"
local_does 'what fits is installed' install "$caps/hello-jc222.cap" --key "$work/key"
pull small

# ---- protocols
card classic "$key" --profile classic
local_refuses 'SCP02 is not taken as a matter of course' 18 'allow-weak scp02' list --key "$work/key"
local_does 'it is when allowed' list --key "$work/key" --allow-weak scp02 --json
same 'with the i that the card announces' 'SCP02 i=55, key version' "$(jq -r .channel "$work/out" | cut -c 1-23)"
said 'and a warning' 'warning: SCP02'
local_does 'an application is installed over SCP02' install "$caps/hello-jc222.cap" --key "$work/key" --allow-weak scp02
pull classic
tap_end
