#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The virtual card in the virtual reader: it appears, answers, and is gone when its process is.
. "$(dirname "$0")/../harness/private.sh"
ferry_card=$build/src/ferry-card/ferry-card

insert() {
    spawn card "$ferry_card" run "$work/a.card" --vpcd "127.0.0.1:$vpcd_port" "$@"
    "$probe" present
}
answers() {
    "$probe" apdu "$1" | grep -qE "$2"
}

ok 'pcscd' start_pcscd
ok 'a card is made' "$ferry_card" create "$work/a.card" --test-keys
for protocol in --t1 --t0; do
    ok "a card appears ($protocol)" insert "$protocol"
    ok "it answers SELECT ($protocol)" answers 00A4040008A000000151000000 '(9000|61..)$'
    ok "it knows itself ($protocol)" answers 80CA9F7F00 '^9F7F.*9000$|^6C..$'
    stop card KILL
    ok "it is gone when its process is ($protocol)" "$probe" absent
done
tap_end
