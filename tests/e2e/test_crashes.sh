#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Server, client and card are killed (KILL) at random moments of a delivery. Whatever happened, the card is before
# or after a command, and running again settles it: the application is there and answers, and no card is lost.
. "$(dirname "$0")/world.sh"

key=1D6C2F0B8E4A97533AC5F1E0D2B49687
app=bulk24-jc222 applet=F00000004101

# A moment within a delivery, in seconds.
moment() {
    awk -v r="$(od -An -N2 -tu2 /dev/urandom)" -v most="$1" 'BEGIN { printf "%.3f", r / 65536 * most }'
}

start_run() {
    rm -f "$work/run.out" "$work/run.err"
    run_reader=$(reader_of "$1")
    spawn run sh -c 'exec "$0" run "$1" --reader "$2" --json >"$3/run.out" 2>"$3/run.err"' \
        "$ferry" "$ticket" "$run_reader" "$work"
}

# The process of a role, "front" or "keeper": a child of the supervisor.
role_pid() {
    for role_pid in $(pgrep -P "$(pid_of ferryd)"); do
        grep -q "^$1\$" "/proc/$role_pid/comm" && echo "$role_pid"
    done
}

disturb() {
    case $1 in
    ferry) stop run KILL ;;
    ferry-card) stop "card-$card" KILL ;;
    front | keeper) kill -KILL "$(role_pid "$1")" ;;
    ferryd) # all of it at once, as a power failure would
        kill -KILL "$(role_pid front)" "$(role_pid keeper)"
        stop ferryd KILL
        ;;
    esac
}

# Everything is there again, and the order is run until it settles.
settle() {
    running ferryd || start_server
    await server_is_up
    running "card-$card" || insert "$card"
    for try in 1 2 3 4 5; do
        order --app "$app" --type badge
        run "$card"
        [ "$code" = 0 ] && return
        echo "# try $try: $outcome $reason $detail"
    done
    return 1
}

must 'the server starts' start_server
must 'the key is stored' add_key master aes128 "$key"
must 'the type is stored' add_type badge 03 70 30 master 33 '"max_openings": 9'
must 'the application is stored' "$ferry" app add "$caps/$app.cap"
for row in ferry:4 ferry-card:4 ferryd:4 front:2 keeper:2; do
    victim=${row%:*}
    # A server of its own for each: its supervisor waits the longer the more often a process died.
    stop_server
    must "a server for killing $victim" start_server
    for round in $(seq "${row#*:}"); do
        card=$victim-$round
        new_card "$card" "$key"
        insert "$card" --fault slow:3
        order --app "$app" --type badge
        start_run "$card"
        delay=$(moment 0.6)
        sleep "$delay"
        disturb "$victim"
        stop run ''
        name="$victim killed after $delay s"
        ok "$name: the next run settles" settle
        same "$name: the application answers" 9000 "$(select_app "$card" "$applet")"
        same "$name: it is there once" 1 "$("$ferry_card" show "$work/$card.card" --json | jq ".applications | map(select(.aid == \"$applet\")) | length")"
        pull "$card"
    done
done
tap_end
