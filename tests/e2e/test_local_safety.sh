#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What "ferry local" does when things go wrong: a wrong key is tried once and never again, a card torn out or a program
# killed in the middle leaves nothing half-known, and the count of failed openings outlives all of them.
. "$(dirname "$0")/local.sh"

key=1D6C2F0B8E4A97533AC5F1E0D2B49687
other=E2937A51C40D8F6B1E5AA7903CD8B264
echo $key >"$work/key"
echo $other >"$work/other"
chmod 600 "$work/key" "$work/other"

# ---- a wrong key, on a card that counts each INITIALIZE UPDATE
card careful "$key" --count-openings
local_refuses 'a wrong key is refused' 7 'WRONG KEY' list --key "$work/other"
said 'with how many tries may be left' 'as few as 9 tries'
held 'one opening was spent' 1 '.keys[0].failures'
local_refuses 'it is not tried again' 17 'local release' list --key "$work/other"
local_refuses 'neither with the right key' 17 'local release' list --key "$work/key"
local_refuses 'nor by naming the version' 17 'local release' list --key "$work/key" --kvn 30
held 'and no more were spent' 1 '.keys[0].failures'
local_does 'until the card is released' release
said 'which says what stays' 'stays counted'
local_does 'then the right key opens it' list --key "$work/key"
same 'and clears what was counted' '- 00 0 0 - - 30 0 0 0370' "$(ledger | grep -v content | tr '\n' ' ' | sed 's/ $//')"
local_does 'a release of nothing' release
said 'says so' 'Nothing was counted'

# ---- the wrong derivation
local_refuses 'a derivation that the card has not' 7 'another --kdf' list --key "$work/key" --kdf kdf3
local_does 'release' release
local_refuses 'a derivation that does not go with the key' 2 "can't be derived" list --key "$work/key" --kdf visa2
local_does 'release once more' release

# ---- a key version that is not there costs nothing
local_refuses 'an unknown key version' 4 '6A88' list --key "$work/key" --kvn 42
local_does 'is not counted' list --key "$work/key"
pull careful

# ---- a blocked key set
card blocked "$key" --max-failures 1 --count-openings
local_refuses 'the last try is gone' 7 'WRONG KEY' list --key "$work/other"
local_does 'release' release
local_refuses 'a blocked key set is told' 17 'blocked' list --key "$work/key"
pull blocked

# ---- the program is killed in the middle
new_card killed "$key" --count-openings
insert killed --fault slow:30
desk=killed
spawn install "$ferry" local install "$caps/bulk24-jc222.cap" --key "$work/key" --reader "$(reader_of killed)" --verbose
await grep -q 'block 5' "$work/install.log"
stop install KILL
again killed
held 'a killed program leaves no package' 0 '.packages | length'
local_does 'and the next run installs' install "$caps/bulk24-jc222.cap" --key "$work/key"
same 'which answers' 9000 "$(select_app killed F00000004101)"
pull killed
rm -rf "$XDG_STATE_HOME"
new_card counted "$key"
desk=counted
for round in 1 2 3; do
    insert counted --fault slow:700
    spawn list "$ferry" local list --key "$work/key" --reader "$(reader_of counted)"
    await sh -c "cat '$XDG_STATE_HOME'/cardferry/cards/* | grep -q '^- 00 $round '"
    stop list KILL
    pull counted
done
insert counted
local_refuses 'three openings without an end are enough' 17 '3 times without success' list --key "$work/key"
local_does 'release' release
local_does 'and then it opens' list --key "$work/key"
pull counted

# ---- the card is torn out in the middle
new_card torn "$key"
desk=torn
insert torn --fault tear:40:before
local_refuses 'a card torn out in the middle' 5 'may or may not have done it' install "$caps/bulk24-jc222.cap" --key "$work/key"
again torn
local_does 'is as it was' list --key "$work/key"
said 'without the package' '! F000000041'
local_does 'and takes it the next time' install "$caps/bulk24-jc222.cap" --key "$work/key"
pull torn
insert torn --fault tear:13:after
local_refuses 'an answer that is lost' 5 'local list' uninstall "$caps/bulk24-jc222.cap" --key "$work/key"
again torn
local_does 'is settled by looking' uninstall "$caps/bulk24-jc222.cap" --key "$work/key"
pull torn
insert torn --fault tear:3
local_refuses 'a card torn out before anything was changed' 11 'read' list --key "$work/key"
pull torn

# ---- answers that are not the card's
new_card liar "$key"
desk=liar
insert liar --fault lie:noise:12
local_refuses 'an answer without its MAC' 5 'not the card' install "$caps/hello-jc222.cap" --key "$work/key"
again liar --fault lie:more:9
local_refuses 'an answer without end' 1 'has no answer' list --key "$work/key"
pull liar

# ---- loads that are refused are counted too
card full "$key" --memory 3000
for round in 1 2 3; do
    local_refuses "a load that is refused, $round" 16 6A84 load "$caps/hello-jc222.cap" --key "$work/key" --load-params EF04C6027FFF
done
local_refuses 'then no more of them' 17 'in a row' load "$caps/hello-jc222.cap" --key "$work/key"
local_does 'release' release
local_does 'and then it loads' load "$caps/hello-jc222.cap" --key "$work/key"

# ---- a locked card
number=$("$ferry" card --reader "$(reader_of full)" --json | jq -r .number)
local_refuses 'a new card is not locked' 4 '6985' lock card --confirm "$number" --key "$work/key"
local_refuses 'a card is not secured by the way' 18 "confirm $number" secure --key "$work/key"
local_does 'it is when it is named' secure --confirm "$number" --key "$work/key"
held 'as it says' SECURED .card.life_cycle
local_does 'once more there is nothing to do' secure --confirm "$number" --key "$work/key"
local_does 'the card is locked' lock card --confirm "$number" --key "$work/key"
held 'as it says' CARD_LOCKED .card.life_cycle
local_refuses 'a locked card takes no applications' 4 'refused' install "$caps/counter-jc222.cap" --key "$work/key"
local_does 'it can be looked at' info
local_does 'and unlocked' unlock card --key "$work/key"
held 'as it says' SECURED .card.life_cycle
pull full

# ---- a card that suddenly speaks a weaker protocol
card strong "$key" --serial 0A0B0C0D
local_does 'a card is opened with SCP03' list --key "$work/key"
pull strong
card weak "$key" --serial 0A0B0C0D --scp 02 --i 55
local_refuses 'one that says it is the same card, with SCP02' 4 'opened with SCP03 i=70 before' list --key "$work/key" --allow-weak scp02
held 'was not shown who asked' 0 '.keys[0].failures'
local_does 'release' release
local_does 'it is opened when SCP02 is named' list --key "$work/key" --allow-weak scp02 --method SCP02:55
pull weak

# ---- no card, no reader, nowhere to count
local_refuses 'no card' 6 '' list --key "$work/key"
card desk "$key"
refused 'nowhere to count' 1 'HOME or XDG_STATE_HOME' env -u HOME -u XDG_STATE_HOME "$ferry" local list --key "$work/key" --reader "$(reader_of desk)"
for file in "$XDG_STATE_HOME"/cardferry/cards/*; do echo 'nonsense' >"$file"; done
rm -rf "$work/state.bad" && mkdir -p "$work/state.bad/cardferry/cards"
number=$("$ferry" card --reader "$(reader_of desk)" --json | jq -r .number)
echo nonsense >"$work/state.bad/cardferry/cards/$number"
refused 'a damaged record' 1 'damaged' env XDG_STATE_HOME="$work/state.bad" "$ferry" local list --key "$work/key" --reader "$(reader_of desk)"
held 'no try was spent on that' 0 '.keys[0].failures'
pull desk
tap_end
