#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# quirks.sh ROOT: docs/quirks.md has a row with the right check for every quirk of the vectors, names every quirk of the
# virtual card, and no test that is not there.
. "$(dirname "$0")/../harness/tap.sh"
cd "$1" || exit 1
page=docs/quirks.md

# Each prints what is wrong.
vectors() {
    for number in $(sed -n 's/.*"id": "quirk-\([0-9]*\)".*/\1/p' tests/data/vectors/quirks.json); do
        check=$(sed -n "s/.*{\"quirk-$number\", \([a-z0-9_]*\)}.*/\1/p" tests/vectors/check_quirks.c)
        grep -q "^| $number | .* | .* | \`$check\` |\$" $page || echo "no row $number with the check $check"
    done
}
names() {
    for name in $(sed -n 's/^ *{QUIRK_[A-Z0-9_]*, "\([a-z0-9-]*\)".*/\1/p' src/ferry-card/quirks.c); do
        grep -q "\`$name\`" $page || echo "the virtual card's $name is not named"
    done
}
# `file.c`: `test`, `test`
tests() {
    sed -n '/^## /,$p' $page | grep -o '`[a-z/_-]*test_[a-z_0-9]*\.c`: `[a-z_0-9]*`\(, `[a-z_0-9]*`\)*' | while read -r line; do
        file=$(echo "$line" | cut -d'`' -f2)
        for test in $(echo "${line#*: }" | tr -d '`,'); do
            grep -q "cmocka_unit_test[a-z_]*(${test}[,)]" "$file" || echo "$file has no test $test"
        done
    done
}
nothing() {
    wrong=$("$1")
    [ -z "$wrong" ] || { echo "$wrong" && return 1; }
}

ok "every quirk of the vectors has its row and its check" nothing vectors
ok "every quirk of the virtual card is named" nothing names
ok "every test that is named is there" nothing tests
tap_end
