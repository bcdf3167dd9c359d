#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# GlobalPlatformPro at the virtual card in a PC/SC reader: every secure channel that it speaks, and what it does
# with applications, security domains and keys.
. "$(dirname "$0")/common.sh"
given GP 'GlobalPlatformPro: a command' || { echo '1..0'; exit 0; }
gp() { "$GP" "$@"; }
hello=$caps/hello-jc222.cap
package=F000000001 applet=F00000000101
domain=D0D1D2D3D4D50101
new_key=505152535455565758595A5B5C5D5E5F

# ---- secure channels ----

# round NAME GP-OPTIONS...: an application comes, is seen, and goes.
round() {
    round=$1
    shift
    ok "$round: install" gp "$@" --install "$hello"
    ok "$round: it is listed" says "APP: $applet (SELECTABLE)" gp "$@" -l
    ok "$round: uninstall" gp "$@" --uninstall "$hello"
    ok "$round: it is gone" says_not "$applet" gp "$@" -l
}

channel() {
    scp=$1 i=$2 bits=$3 modes=$4
    shift 4
    key_of "$bits" >"$work/key"
    new_card --scp "$scp" --i "$i" --key-bits "$bits" --keys "$work/key"
    for mode in $modes; do
        round "SCP$scp:$i $bits bits $mode" --key "$(key_of "$bits")" --mode "$mode" "$@"
    done
}

start_pcscd || exit 1
# It encrypts the ICV always: bit 5 of i (GPCS 2.3.1 table E-1).
for i in 14 15 54 55; do
    channel 02 "$i" 128 'MAC ENC'
done
for bits in 128 192 256; do
    channel 03 70 "$bits" 'MAC ENC RMAC RENC'
    # Its blocks leave room for a MAC of 8 bytes only, so the load file must go in one, with extended length.
    channel 03 71 "$bits" 'MAC ENC RMAC RENC' --s16 --bs 1000
done
channel 03 60 128 'MAC ENC RMAC RENC'
channel 03 00 128 'MAC ENC'
channel 03 20 128 'MAC RMAC'
new_card --test-keys
refused 'a wrong key is noticed' 1 'cryptogram invalid' gp --key "$new_key" -l

# ---- applications and the card's life cycle ----
ok 'information without a key' says 'SCP03 (i=70)' gp -i
ok 'key information' says 'Version:  48 (0x30) ID:   3 (0x03) type: AES' gp -i
ok 'install' gp --install "$hello" --params C903010203
ok 'lock' gp --lock-applet $applet
ok 'it is locked' says "$applet (LOCKED)" gp -l
ok 'unlock' gp --unlock-applet $applet
ok 'it is unlocked' says "$applet (SELECTABLE)" gp -l
ok 'data for it' gp --applet $applet --store-data 0101050102030405
# GPCS 2.3.1 figure 5-1: INITIALIZED stands between.
refused 'not from OP_READY to SECURED' 1 6985 gp --secure-card
ok 'initialize' gp --initialize-card
ok 'secure' gp --secure-card
ok 'lock the card' gp --lock-card
ok 'it is locked' says 'CARD_LOCKED' gp -l
ok 'unlock the card' gp --unlock-card
ok 'data for the card' gp --store-data-chunk 4203010203 --store-data-chunk 42020102
same 'it has them' 420201029000 "$("$probe" apdu 00A4040000 80CA004200 | tail -n 1)"
ok 'uninstall' gp --uninstall "$hello"

# ---- security domains ----
ok 'a domain' gp --domain $domain --allow-to --allow-from
ok 'it is listed' says "SSD: $domain (SELECTABLE)" gp -l
ok 'install' gp --install "$hello"
# GPCS 2.3.1 5.3.2.2 and 9.4.1: without keys it can't be associated with anything.
refused 'no move to a domain without keys' 1 6985 gp --move $package --to $domain
ok 'its keys' gp -c $domain --lock $new_key
ok 'a channel with them' says "SSD: $domain (PERSONALIZED)" gp -c $domain --key $new_key -l
ok 'the package moves' gp --move $package --to $domain
ok 'the applet moves' gp --move $applet --to $domain
same 'both are there' 3 "$(gp -l 2>/dev/null | grep -c "Parent: *$domain\|From: *$package")"
ok 'uninstall' gp --uninstall "$hello"
ok 'the domain goes' gp --delete $domain

# ---- keys ----
ok 'other keys' gp --lock $new_key
refused 'the old ones are gone' 1 'cryptogram invalid' gp -l
ok 'the new ones work' gp --key $new_key -l
ok 'and back' gp --key $new_key --lock $default_key
ok 'a second version' gp --lock $new_key --new-keyver 49
ok 'it works' gp --key $new_key --key-ver 49 -l
ok 'it goes' gp --delete-key 49
ok 'it is gone' says_not 'Version:  49' gp -i

# ---- DAP and tokens ----
for k in rsa1024 rsa2048; do
    openssl genrsa -out "$work/$k.pem" "${k#rsa}" 2>/dev/null
    openssl rsa -in "$work/$k.pem" -pubout -out "$work/$k.pub" 2>/dev/null
done
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/p256.pem" 2>/dev/null
openssl pkey -in "$work/p256.pem" -pubout -out "$work/p256.pub"
for k in rsa1024 rsa2048 p256; do
    other=rsa2048
    [ $k != rsa2048 ] || other=rsa1024
    ok "DAP $k: a domain" gp --domain $domain --privs DAPVerification
    ok "DAP $k: its keys" gp -c $domain --lock $new_key --new-keyver 48
    ok "DAP $k: the key for it" gp -c $domain --key $new_key --put-key "$work/$k.pub" --new-keyver 115
    refused "DAP $k: another's signature" 1 'LOAD failed' \
        gp --load "$hello" --dap-key "$work/$other.pem" --dap-domain $domain --to $domain
    ok "DAP $k: nothing stayed" says_not $package gp -l
    ok "DAP $k: load" gp --load "$hello" --dap-key "$work/$k.pem" --dap-domain $domain --to $domain
    ok "DAP $k: it is listed" says "PKG: $package" gp -l
    ok "DAP $k: delete" gp --delete $package
    ok "DAP $k: the domain goes" gp --delete $domain
done
for k in rsa1024 rsa2048; do
    dm() { gp -c $domain --key $new_key "$@"; }
    other=rsa2048
    [ $k != rsa2048 ] || other=rsa1024
    ok "token $k: the issuer's key" gp --put-key "$work/$k.pub" --new-keyver 112
    ok "token $k: a domain" gp --domain $domain --privs DelegatedManagement
    ok "token $k: its keys" gp -c $domain --lock $new_key --new-keyver 48
    refused "token $k: another's" 1 'INSTALL \[for load\] failed' \
        dm --install "$hello" --dm-key "$work/$other.pem"
    ok "token $k: install" dm --install "$hello" --dm-key "$work/$k.pem"
    ok "token $k: it is there" says "APP: $applet (SELECTABLE)" gp -l
    ok "token $k: delete" dm --delete $applet --dm-key "$work/$k.pem"
    ok "token $k: uninstall" dm --uninstall "$hello" --dm-key "$work/$k.pem"
    ok "token $k: nothing is left" says_not $package gp -l
    ok "token $k: the domain goes" gp --delete $domain
    ok "token $k: the key goes" gp --delete-key 112
done
tap_end
