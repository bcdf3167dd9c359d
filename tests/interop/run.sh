#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs the tests with other people's programs, one after the other, and adds up. usage: run.sh BUILD-FOLDER
build=$(cd "${1:?which build folder}" && pwd) || exit 1
cd "$(dirname "$0")" || exit 1
log=$(mktemp "${TMPDIR:-/tmp}/ferry-interop.XXXXXX")
trap 'rm -f "$log"' EXIT
broken=0 before=0
for test in ./test_*.sh; do
    echo "== $(basename "$test" .sh)"
    "$test" "$build" 2>&1 | tee -a "$log"
    # A script that broke off has no plan.
    plans=$(grep -c '^1\.\.' "$log")
    [ "$plans" -gt "$before" ] || broken=$((broken + 1))
    before=$plans
done
passed=$(grep -c '^ok ' "$log")
failed=$(($(grep -c '^not ok ' "$log") + broken))
sed -n 's/^# not given/not given, and so not tried/p' "$log"
[ "$passed" != 0 ] || echo "nothing was tried: docs/interop.md says which programs can be given, and how"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
