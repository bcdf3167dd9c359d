#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Keys end to end: derived from a master key and the card's identification data by each method, imported for one card, retired; and none
# that comes by an argument or is shown.
. "$(dirname "$0")/world.sh"

master=9B1E64C7D25A3F80E4B7016C8D92F53A
own=5C3A7E19F0B4826DD1E85F7290C6A34B
app=F00000000101

# derived NAME SCP I KDF LEVEL TYPE KDD: a card whose keys follow from the master key, and its type.
derived() {
    echo "$master" | "$ferry_card" create "$work/$1.card" --master - --kdf "$4" --scp "$2" --i "$3" --kvn 30 --kdd "$7"
    cat >"$work/type.json" <<END
{"name": "$4", "isd": "A000000151000000", "scp": "$2", "i": "$3", "kvn": "30", "key": "master-$6", "kdf": "$4", "level": "$5"}
END
    "$ferry" type add "$work/type.json" --replace --quiet
    insert "$1"
}

check_value() {
    "$ferry_card" show "$work/$1.card" --json | jq -r '.keys[0].kcv_enc'
}

must 'the server starts' start_server
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap" --name hello
must 'a master key is stored' add_key master-aes128 aes128 "$master"
must 'a Triple-DES master key is stored' add_key master-des3 des3 "$master"

cards=0
# Two cards of each method: both are served, and their keys differ.
for row in '02 55 visa2 03 des3' '02 55 emv 03 des3' '03 70 kdf3 33 aes128'; do
    # shellcheck disable=SC2086 # words on purpose
    set -- $row
    for n in 1 2; do
        # The bytes from which each method derives, and the card's number, are other ones.
        cards=$((cards + 1))
        derived "$3-$n" "$1" "$2" "$3" "$4" "$5" "00112233445${cards}66778899"
        order --app hello --type "$3"
        run "$3-$n"
        [ "$1" = 02 ] && ended "$3: card $n is served" reported none 3 || ended "$3: card $n is served" confirmed none 0
        same "$3: card $n has it" 9000 "$(select_app "$3-$n" $app)"
        pull "$3-$n"
    done
    ok "$3: two cards have two keys" [ "$(check_value "$3-1")" != "$(check_value "$3-2")" ]
done

# A key of its own for one card.
cat >"$work/type.json" <<'END'
{"name": "single", "isd": "A000000151000000", "scp": "03", "i": "70", "kvn": "30", "kdf": "imported", "level": "33"}
END
must 'a type with imported keys is stored' "$ferry" type add "$work/type.json"
new_card single "$own" --scp 03 --i 70 --kvn 30
insert single
order --app hello --type single
run single
ended 'a card without an imported key gets no try' failed no-key 7
same 'and its tries were spared' 0 "$("$ferry_card" show "$work/single.card" --json | jq '.keys[0].failures')"
echo "$own" >"$work/own.hex"
ok 'its key is imported' "$ferry" key add single-1 --type aes128 --use card --card "$(number_of single)" --file "$work/own.hex"
order --app hello --type single
run single
ended 'and it is served' confirmed none 0
pull single

# What is not done with keys.
refused 'a key of a wrong length is refused' 2 'hexadecimal digits' sh -c "echo 00 | '$ferry' key add bad --type aes128 --file -"
refused 'without a terminal a key is not waited for' 2 'no terminal' setsid "$ferry" key add bad --type aes128
refused 'a name is used once' 1 'already' "$ferry" key add master-aes128 --type aes128 --file "$work/own.hex"
ok 'keys are listed' "$ferry" key list
same 'with no value' 0 "$("$ferry" key list --json | grep -ci -e "$master" -e "$own")"
ok 'a key is retired' "$ferry" key retire master-aes128 1
derived late 03 70 kdf3 33 aes128 00112233445566778895
order --app hello --type kdf3
run late
ended 'and serves no more' failed no-key 7
pull late
tap_end
