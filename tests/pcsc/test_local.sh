#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# "ferry local" through pcscd and its virtual reader, over T=1 and T=0: an application comes and goes, keys change,
# and a card that is taken out in the middle is told.
transport=pcsc
. "$(dirname "$0")/../e2e/local.sh"

key=1D6C2F0B8E4A97533AC5F1E0D2B49687
echo $key >"$work/key"
echo A0A1A2A3A4A5A6A7A8A9AAABACADAEAF >"$work/new"
chmod 600 "$work/key" "$work/new"

must 'pcscd' start_pcscd
for protocol in t1 t0; do
    new_card "card-$protocol" "$key"
    desk=card-$protocol
    insert "card-$protocol" "--$protocol"
    local_does "$protocol: facts" info
    local_does "$protocol: an application is installed" install "$caps/bulk24-jc222.cap" --key "$work/key"
    same "$protocol: it answers" 9000 "$(select_app "$desk" F00000004101)"
    local_does "$protocol: new keys" put-key 30 --replace 30 --new-key "$work/new" --key "$work/key"
    local_does "$protocol: open the card" list --key "$work/new" --kvn 30
    said "$protocol: which lists it" 'F00000004101'
    local_does "$protocol: it is removed" uninstall "$caps/bulk24-jc222.cap" --key "$work/new"
    pull "$desk"
done
new_card slow "$key"
desk=slow
insert slow --fault slow:30
spawn install "$ferry" local install "$caps/bulk24-jc222.cap" --key "$work/key" --reader "$(reader_of slow)" --verbose
await grep -q 'block 5' "$work/install.log"
pull slow KILL
stop install ''
same 'a card taken out in the middle is told: unknown' 5 $?
insert slow
local_does 'and takes it the next time' install "$caps/bulk24-jc222.cap" --key "$work/key"
pull slow
local_refuses 'no card' 6 'card' list --key "$work/key"
tap_end
