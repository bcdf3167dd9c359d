#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The policy of weak choices: a new server allows none. A card type that makes one is refused with its name and with what
# would allow it; cards of a type that was allowed before are not spoken to any more.
allow_weak=none
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
des=1D6C2F0B8E4A9752

# policy NAMES: what stands in the configuration from now on.
policy() {
    stop_server
    sed -i "s/^allow_weak = .*/allow_weak = $1/" "$server/ferryd.conf" && start_server
}

refused_type() {
    refused "$1" "$2" "$3" "$ferry" type add "$work/$4.json" --replace
}

cat >"$work/scp02.json" <<END
{"name": "old", "scp": "02", "i": "55", "kvn": "30", "key": "des3", "kdf": "none", "level": "03"}
END
cat >"$work/scp01.json" <<END
{"name": "older", "scp": "01", "i": "05", "kvn": "30", "key": "des3", "kdf": "none", "level": "03"}
END
cat >"$work/des.json" <<END
{"name": "museum", "scp": "01", "i": "05", "kvn": "30", "key": "des", "kdf": "none", "level": "03", "single_des": true}
END

must 'a new server' "$ferryd" init "$server"
ok 'whose configuration says what can be allowed' grep -q '^#allow_weak = scp02' "$server/ferryd.conf"
must 'it starts' start_server
must 'a Triple-DES key is stored' add_key des3 des3 "$key"
must 'a DES key is stored' add_key des des "$des"
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap"
new_card old "$key" --scp 02 --i 55 --kvn 30
insert old

refused_type 'SCP02 is refused, and told what would allow it' 4 'SCP02.*allow_weak = scp02' scp02
refused_type 'so is SCP01' 4 'SCP01.*allow_weak = scp01' scp01
refused_type 'so is single DES' 4 'allow_weak = \(des\|scp01\)' des

must 'the server now allows SCP02' policy scp02
ok 'a card type with SCP02 is taken' "$ferry" type add "$work/scp02.json"
same 'with a warning' 1 "$("$ferry" type show old --json | jq '[.warnings[] | select(test("SCP02"))] | length')"
refused_type 'SCP01 is still refused' 4 'allow_weak = scp01' scp01
order --app hello-jc222 --type old
run old
ended 'a card with SCP02 is served' reported none 3

must 'the server allows it no more' policy none
order --remove --app hello-jc222 --type old
run old
ended 'its cards are not served any more' failed policy 18
told 'with the reason' "SCP02 is deprecated"
same 'and the application is still there' 9000 "$(select_app old F00000000101)"
pull old

must 'the server allows SCP01' policy scp01
refused_type 'which is not single DES' 4 'allow_weak = des' des
must 'the server allows both' policy scp01,des
ok 'which then is taken' "$ferry" type add "$work/des.json"
new_card museum "$des" --profile museum --kvn 30 --scp 01 --i 05 --key-bits 64
insert museum
order --app hello-jc222 --type museum
run museum
ended 'and such a card is served' reported none 3
pull museum
stop_server
sed -i 's/^allow_weak = .*/allow_weak = scp04/' "$server/ferryd.conf"
refused 'a name that is none keeps the server from starting' 3 'allow_weak needs none, or some of des' "$ferryd" check -c "$server/ferryd.conf"
tap_end
