#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The demo works, shows what it promises, and leaves nothing behind.
set -u
. "$(dirname "$0")/../harness/tap.sh"
build=$(cd "${1:-build/asan}" && pwd)
demo=$(dirname "$0")/demo.sh
TMPDIR=$tap_dir
export TMPDIR

demo_runs() {
    "$demo" "$build" >"$tap_dir/demo.out" 2>&1 || {
        cat "$tap_dir/demo.out"
        return 1
    }
}
shows() {
    grep -qE -e "$1" "$tap_dir/demo.out"
}

ok 'the demo runs to its end' demo_runs
for step in identify authenticate deliver settle confirmed; do
    ok "it shows: $step" shows "$step"
done
ok 'a card that the server has not seen is no error' shows 'server +has not seen this card yet'
ok 'the application is in the registry' shows 'F00000000201 application SELECTABLE'
ok 'proven by the card' shows 'proven by the card$'
ok 'nothing is shown blank' sh -c "! grep -E '^    [a-z_.]+ *\$' '$tap_dir/demo.out'"
ok 'SELECT is answered 9000' shows '^ *9000$'
ok 'it leaves nothing behind' sh -c "! ls -d $tap_dir/ferry-demo.* 2>/dev/null | grep ."
tap_end
