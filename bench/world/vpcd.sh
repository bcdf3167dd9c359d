#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# vpcd.sh BUILD-FOLDER: bench_vpcd in a private world with a pcscd and a virtual card of its own.
. "$(dirname "$0")/../../tests/harness/private.sh"
card=$build/src/ferry-card/ferry-card

"$card" create "$work/card.nvm" --test-keys --serial 01020304 >/dev/null
spawn card "$card" run "$work/card.nvm" --vpcd "localhost:$vpcd_port"
start_pcscd || exit 1
await 20 "$probe" present || exit 1
"$build/bench/bench_vpcd" --here
