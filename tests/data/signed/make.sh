#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Key pairs for the tests of signed commands (docs/signed-commands.md), one of the server and one of the card for
# each i, as PKCS#8 and SubjectPublicKeyInfo: make.sh >keys.json
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
hex() { od -An -v -tx1 | tr -d ' \n' | tr a-f A-F; }

openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 -pkeyopt dsa_paramgen_q_bits:256 \
    -out "$work/dsa" 2>/dev/null

new_key() { # i
    case $1 in
    01) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 ;;
    02) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 ;;
    03) openssl genpkey -paramfile "$work/dsa" ;;
    04) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 ;;
    05) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 ;;
    esac 2>/dev/null
}

separator='['
for i in 01 02 03 04 05; do
    printf '%s\n {\n  "i": "%s"' "$separator" "$i"
    for whose in server card; do
        new_key "$i" >"$work/key"
        printf ',\n  "%s": "%s"' "$whose" "$(openssl pkcs8 -topk8 -nocrypt -in "$work/key" -outform DER | hex)"
        printf ',\n  "%s_public": "%s"' "$whose" "$(openssl pkey -in "$work/key" -pubout -outform DER | hex)"
    done
    printf '\n }'
    separator=,
done
printf '\n]\n'
