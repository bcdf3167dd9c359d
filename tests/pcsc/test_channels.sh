#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A whole download through pcscd and its virtual reader for every secure channel, key length and security level:
# three POSTs, an outcome that says as much as the channel can show, and an application that answers.
transport=pcsc
. "$(dirname "$0")/../e2e/world.sh"

aes128=1D6C2F0B8E4A97533AC5F1E0D2B49687
aes192=${aes128}5B0F7D3C92A1E846
aes256=${aes192}C7384F9A06B2D5E1
des3=$aes128

# Which levels an i value can do (GPCS 2.3.1 E.1.1; Amendment D 5.1).
levels_of() {
    case $1 in
    0215 | 0255) echo 01 03 ;;
    0235 | 0275) echo 01 03 11 13 ;;
    0300 | 0310) echo 01 03 ;;
    0320 | 0330) echo 01 03 11 13 ;;
    0360 | 0370) echo 01 03 11 13 33 ;;
    esac
}

download() {
    name=$1 scp=$2 i=$3 type=$4 level=$5
    eval "key=\$$type"
    add_type "$name" "$scp" "$i" 30 "$type" "$level"
    new_card "$name" "$key" --scp "$scp" --i "$i" --kvn 30 --key-bits $((${#key} * 4))
    insert "$name"
    order --app hello-jc222 --type "$name"
    run "$name"
    case $level in
    01 | 03) ended "$name is delivered" reported none 3 ;;
    *) ended "$name is delivered" confirmed none 0 ;;
    esac
    same "$name takes three POSTs" 3 "$posts"
    same "$name: the application answers" 9000 "$(select_app "$name" F00000000101)"
    pull "$name"
}

must 'pcscd' start_pcscd
must 'the server starts' start_server
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap"
for type in des3 aes128 aes192 aes256; do
    eval "key=\$$type"
    must "a key $type is stored" add_key "$type" "$type" "$key"
done
for i in 15 55 35 75; do
    for level in $(levels_of "02$i"); do
        download "scp02-$i-$level" 02 "$i" des3 "$level"
    done
done
for i in 00 10 20 30 60 70; do
    for type in aes128 aes192 aes256; do
        for level in $(levels_of "03$i"); do
            download "scp03-$i-$type-$level" 03 "$i" "$type" "$level"
        done
    done
done
tap_end
