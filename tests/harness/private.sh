# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# A small world of its own for one end-to-end test: own mounts, network and processes (unshare), so that its
# pcscd, card and server meet nobody else's, may use fixed ports, and are all gone when the test is. Sourced as
# the first thing, with the test's own arguments: BUILD-FOLDER.
#
#   spawn NAME COMMAND...   starts it in the background; output in $work/NAME.log
#   stop NAME [SIGNAL]      ends it, by its pid ('': only waits); gives its exit status
#   running NAME            is it still there
#   await COMMAND...        until the command succeeds, for a minute: more than anything here takes
#   await_for SECONDS COMMAND...   the same, for so long
#   start_pcscd / stop_pcscd  with the reader "Virtual PCD"; the card connects to $vpcd_port

if [ "${FERRY_PRIVATE_WORLD:-}" != "$0" ]; then
    export FERRY_PRIVATE_WORLD="$0"
    world='--mount --net --pid --fork --kill-child --mount-proc'
    # Without the right to it, as the root of a user name space.
    # shellcheck disable=SC2086 # words on purpose
    unshare $world true 2>/dev/null || world="--map-root-user $world"
    # shellcheck disable=SC2086
    unshare $world true || {
        echo "# this test wants name spaces of its own: CAP_SYS_ADMIN or user name spaces, and a root folder that"
        echo "# is a mount point (in a chroot: mount --bind DIR DIR)"
        exit 1
    }
    # shellcheck disable=SC2086
    exec unshare $world "$0" "$@"
fi
unset FERRY_PRIVATE_WORLD

build=$(cd "${1:-build/asan}" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/harness/tap.sh"
caps=$root/tests/data/caps
work=$(mktemp -d "${TMPDIR:-/tmp}/ferry-test.XXXXXX")
vpcd_port=35963
probe=$build/tests/pcsc/pcsc_probe

ip link set lo up
# The daemon's own socket and state, away from those of the machine.
mount -t tmpfs tmpfs /run
mkdir -p /run/pcscd
trap leave EXIT
trap 'exit 1' INT TERM HUP

leave() {
    status=$?
    for pidfile in "$work"/*.pid; do
        [ -f "$pidfile" ] || continue
        name=$(basename "$pidfile" .pid)
        # The logs are what one wants to see of a test that failed.
        if [ "$status" != 0 ] && [ -s "$work/$name.log" ]; then
            echo "# the end of $name.log:"
            tail -n 40 "$work/$name.log" | sed 's/^/#   /'
        fi
        stop "$name" KILL
    done
    rm -rf "$work" "$tap_dir"
    exit "$status"
}

spawn() {
    spawn_name=$1
    shift
    "$@" >>"$work/$spawn_name.log" 2>&1 </dev/null &
    echo $! >"$work/$spawn_name.pid"
}

pid_of() {
    cat "$work/$1.pid"
}

running() {
    [ -f "$work/$1.pid" ] && kill -0 "$(pid_of "$1")" 2>/dev/null
}

stop() {
    [ -f "$work/$1.pid" ] || return 0
    stop_pid=$(pid_of "$1")
    [ "${2-TERM}" = '' ] || kill -s "${2:-TERM}" "$stop_pid" 2>/dev/null
    wait "$stop_pid" 2>/dev/null
    stop_status=$?
    rm -f "$work/$1.pid"
    return $stop_status
}

await() {
    await_for 60 "$@"
}

await_for() {
    await_end=$(($(date +%s) + $1))
    shift
    until "$@" >"$work/await.out" 2>&1; do
        [ "$(date +%s)" -lt "$await_end" ] || {
            echo "# waited in vain for: $*"
            return 1
        }
        sleep 0.05
    done
}

start_pcscd() {
    driver=$(find /usr/lib -name 'libifdvpcd.so*' | head -n 1)
    mkdir -p "$work/reader.conf.d"
    {
        echo 'FRIENDLYNAME "Virtual PCD"'
        printf 'DEVICENAME /dev/null:0x%X\n' "$vpcd_port"
        echo "LIBPATH $driver"
        printf 'CHANNELID 0x%X\n' "$vpcd_port"
    } >"$work/reader.conf.d/vpcd"
    spawn pcscd "$(command -v pcscd || echo /usr/sbin/pcscd)" --foreground --debug --config "$work/reader.conf.d"
    await "$probe" reader 'Virtual PCD'
}

stop_pcscd() {
    stop pcscd "${1:-TERM}"
}
