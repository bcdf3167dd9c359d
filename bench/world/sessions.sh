#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sessions.sh BUILD-FOLDER: bench_sessions beside a server of its own, whose database lies on a real disk.
. "$(dirname "$0")/../../tests/harness/private.sh"
ferry=$build/src/ferry/ferry
server=$build/src/ferryd/ferryd

"$server" init "$work/server" --listen 127.0.0.1:8443 >/dev/null
{
    echo 'connections_per_peer_max = 10000'
    echo 'log_level = warning'
} >>"$work/server/ferryd.conf"
spawn server "$server" -c "$work/server/ferryd.conf"
admin() {
    "$ferry" "$@" --profile "$work/server/admin.conf"
}
await 20 admin app list || exit 1

# The keys of the cards that bench_sessions makes.
for byte in 50 51 52; do
    printf "$byte%.0s" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
    echo
done >"$work/keys"
cat >"$work/type.json" <<'JSON'
{ "name": "bench", "match": {}, "isd": "A000000151000000", "scp": "03", "i": "70", "kvn": "30", "key": "bench",
  "kdf": "none", "level": "13", "java_card": "3.0.5", "max_openings": 3 }
JSON
{
    admin key add bench --type aes128 --file "$work/keys"
    admin type add "$work/type.json"
    admin app add "$caps/bulk24-jc222.cap" --name bulk
} >/dev/null || exit 1
url=$(admin order add --app bulk --type bench --cards 1000000 --openings 1000000 --json | jq -r .url)
"$build/bench/bench_sessions" "$url" "$work/server/ca.pem" "$(cat "$work/server.pid")"
