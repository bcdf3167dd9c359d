#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bench_download.sh BUILD-FOLDER: where the time of one download goes. A load file of 60 KB onto a new virtual card by its local socket, each
# with real processes and a database on disk: medians of 9 of what the client waits for the card, and for the server (TLS, three POSTs,
# signing, verifying, durable writes).
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
rounds=9

median() {
    sort -n | sed -n "$(((rounds + 1) / 2))p"
}

{
    start_server
    add_key badge aes128 $key
    "$ferry" app add "$caps/bulk60-jc222.cap" --name bulk60 --quiet
} >/dev/null || exit 1

for level in 01 11; do
    add_type "level-$level" 03 70 30 badge $level
    for round in $(seq $rounds); do
        card=card-$level-$round
        new_card "$card" $key --scp 03 --i 70 --kvn 30 >/dev/null
        insert "$card"
        order --app bulk60 --type "level-$level"
        run "$card"
        [ "$posts" = 3 ] || { echo "round $round did not work: $detail" >&2; exit 1; }
        pull "$card"
        echo "$run_last" >>"$work/level-$level"
    done
    for what in duration card server; do
        eval "$what=\$(jq .${what}_ms '$work/level-$level' | median)"
    done
    # shellcheck disable=SC2154 # set by eval
    echo "download_60k_level_$level: $duration ms, of which the card $card and the server $server (median of $rounds)"
done
