#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# coverage.sh BUILD-FOLDER: what the tests that have run there reached, per folder and in total.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
gcovr --root "$root" --filter "$root/lib/" --filter "$root/src/" --exclude '.*/test_[^/]*\.c$' \
    --exclude-unreachable-branches --exclude-throw-branches -j "$(nproc)" \
    --gcov-ignore-parse-errors --json-summary "$build/coverage.json" "$build" >"$build/coverage.log" 2>&1 || {
    tail -n 20 "$build/coverage.log" >&2
    exit 1
}
jq -r '
    def folder: .filename | split("/") | if .[0] == "src" and length > 3 then .[0:3] else .[0:2] end | join("/");
    def percent(c; t): if t == 0 then "-" else (c * 1000 / t | round / 10 | tostring) + " %" end;
    def row(name): [name, (map(.line_total) | add), percent(map(.line_covered) | add; map(.line_total) | add),
        percent(map(.branch_covered) | add; map(.branch_total) | add)];
    (["folder", "lines", "covered", "branches"]),
    (.files | group_by(folder)[] | row(.[0] | folder)),
    (.files | row("total")) | @tsv' "$build/coverage.json" |
    awk -F '\t' '{ printf "%-22s %8s %10s %10s\n", $1, $2, $3, $4 }'
