#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A whole download through pcscd and its virtual reader for every method of the table, every size of its keys and every
# security level: three POSTs, an outcome that says as much as the channel can show, and an application that answers.
transport=pcsc
. "$(dirname "$0")/../e2e/world.sh"

rows=$build/tests/pcsc/channel_rows
host=$work/host
aes128=1D6C2F0B8E4A97533AC5F1E0D2B49687
aes192=${aes128}5B0F7D3C92A1E846
aes256=${aes192}C7384F9A06B2D5E1
des3=$aes128
des=1D6C2F0B8E4A9752

# once NAME COMMAND...: what several rows need is done by the first of them.
once() {
    once_name=$1
    shift
    [ -e "$work/once-$once_name" ] || { "$@" && : >"$work/once-$once_name"; }
}

# As insert, without waiting for the reader to see it.
put_in() {
    spawn "card-$1" "$ferry_card" run "$work/$1.card" --vpcd "127.0.0.1:$((vpcd_port + slot))"
}

# --- how a card of each protocol is made, and what the server is told of it ---

# symmetric NAME SCP I KEYS LEVEL
symmetric() {
    eval "key=\$$4"
    fields='"match": {}'
    [ "$4" = des ] && fields='"single_des": true'
    once "$4" add_key "$4" "$4" "$key" &&
        add_type "$1" "$2" "$3" 30 "$4" "$5" "$fields" &&
        new_card "$1" "$key" --scp "$2" --i "$3" --kvn 30 --key-bits $((${#key} * 4)) &&
        put_in "$1"
}

type_of_curve() {
    case $1 in
    P-256 | brainpoolP256r1) echo ec256 ;;
    P-384) echo ec384 ;;
    P-521) echo ec521 ;;
    esac
}

# The host's key pair of a curve, and the key that signs the certificates of cards.
add_scp11_keys() {
    add_pair "oce-$1" host "$(type_of_curve "$1")" "$host/oce$2.key" &&
        add_pair "cards-$1" trust "$(type_of_curve "$1")" "$host/card-ca$2.pub"
}

# scp11 NAME LETTER I CURVE LEVEL FORM
scp11() {
    end='' mac=8 certificate=cert
    [ "$4" = P-256 ] || end=-$4
    [ $((0x$3 & 0x80)) = 0 ] || mac=16
    [ "$6" = gp ] || certificate=crt
    new_card "$1" "$aes128" --scp11 "$2" --scp11-curve "$4" --scp11-form "$6" --scp11-mac $mac --scp11-trust-b \
        --host-keys "$host" || return
    once "$4" add_scp11_keys "$4" "$end" || return
    fields="\"trust\": \"cards-$4\""
    [ "$2" = b ] || fields="$fields, \"key\": \"oce-$4\", \"ca_kvn\": \"03\", \"ca_kid\": \"10\",
        \"certificates\": [\"$(hex_of "$host/oce$end.$certificate")\"]"
    add_pair_type "$1" 11 "$3" 03 "$5" "$fields" && put_in "$1"
}

# signed NAME I KEYS LEVEL
signed() {
    new_card "$1" "$aes128" --signed "$2" --host-keys "$host" &&
        once "$3" add_pair "server-$3" host "$3" "$host/server-$2.key" &&
        add_pair_type "$1" F0 "$2" 40 "$4" "\"key\": \"server-$3\"" &&
        insert "$1" &&
        add_peer "peer-$1" "$1" "$3"
}

# prepare NAME PROTOCOL I KEYS LEVEL FORM
prepare() {
    case $2 in
    SCP11*) scp11 "$1" "${2#SCP11}" "$3" "$4" "$5" "$6" ;;
    SCP*) symmetric "$1" "${2#SCP}" "$3" "$4" "$5" ;;
    F0) signed "$1" "$3" "$4" "$5" ;;
    *) return 1 ;;
    esac
}

# --- a download ---

# The reader takes its time to see a card come and go: the next card goes into the other slot before a download begins.
# download PROTOCOL I KEYS LEVEL OUTCOME FORM
download() {
    row=$1-$2-$3-$4${6:+-$6}
    "$probe" slot $slot absent
    ok "$row: card and card type" prepare "$row" "$1" "$2" "$3" "$4" "${6:-}"
    next="$slot $row $5"
    deliver_waiting
    waiting=$next
    slot=$((1 - ${next%% *}))
}

# To the card that waits in its slot.
waiting=''
deliver_waiting() {
    [ -n "$waiting" ] || return 0
    slot=${waiting%% *} expected=${waiting##* } name=${waiting#* }
    name=${name% *} code_then=0
    [ "$expected" = confirmed ] || code_then=3
    order --app hello-jc222 --type "$name"
    "$probe" slot $slot present
    run "$name"
    ended "$name is delivered" "$expected" none $code_then
    same "$name takes three POSTs" 3 "$posts"
    same "$name: the application answers" 9000 "$(select_app "$name" F00000000101)"
    stop "card-$name"
}

must 'pcscd' start_pcscd
must 'the server starts' start_server
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap"
must 'the table of methods' sh -c "'$rows' >'$work/rows'"
same 'it has every protocol' 'F0 SCP01 SCP02 SCP03 SCP11a SCP11b SCP11c' \
    "$(cut -d' ' -f1 "$work/rows" | LC_ALL=C sort -u | paste -sd' ')"
while read -r protocol i keys level outcome <&3; do
    case $protocol in
    SCP11*) for form in gp x509; do
        download "$protocol" "$i" "$keys" "$level" "$outcome" $form
    done ;;
    *) download "$protocol" "$i" "$keys" "$level" "$outcome" '' ;;
    esac
done 3<"$work/rows"
deliver_waiting
tap_end
