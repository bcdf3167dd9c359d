#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The host side at card sides that nobody here wrote. Each is a command that brings its card into the reader through
# vpcd at port 35963; $KEY in it stands for the key, $CERT for the file where it puts its certificate.
. "$(dirname "$0")/common.sh"
start_pcscd || exit 1
umask 077
hello=$caps/hello-jc222.cap
package=F000000001 applet=F00000000101
local_() { "$ferry" local "$@"; }

# An application comes, is seen, and goes, with these options.
round() {
    round=$1
    shift
    ok "$round: list" local_ list "$@"
    ok "$round: install" local_ install "$hello" "$@"
    ok "$round: it is listed" says "^$applet .*SELECTABLE" local_ list "$@"
    ok "$round: uninstall" local_ uninstall "$hello" "$@"
    ok "$round: the package is gone" says_not "^$package " local_ list "$@"
}

if given CARD_SCP03 'an independent card with SCP03 and content management: a command'; then
    for bits in 128 192 256; do
        KEY=$(key_of $bits)
        export KEY
        printf '%s\n' "$KEY" >"$work/key"
        other_card "$CARD_SCP03"
        round "SCP03, $bits bits" --key "$work/key" --kvn FF
        tr 4 5 <"$work/key" >"$work/other"
        refused "SCP03, $bits bits: a wrong key" 7 'WRONG KEY' local_ list --key "$work/other" --kvn FF
        ok "SCP03, $bits bits: release" local_ release
    done
fi

openssl ecparam -genkey -name prime256v1 -noout -out "$work/oce.pem"
openssl req -x509 -new -key "$work/oce.pem" -subj /CN=oce -days 100 -out "$work/oce.crt"
export CERT="$work/card.crt"
for variant in A B; do
    method=SCP11$(echo $variant | tr AB ab)
    given "CARD_SCP11$variant" "an independent card with $method and content management: a command" || continue
    eval "command=\$CARD_SCP11$variant"
    rm -f "$CERT"
    other_card "$command"
    openssl x509 -in "$CERT" -noout -pubkey >"$work/ca.pub"
    set -- --method "$method"
    [ $variant = B ] || set -- "$@" --oce-key "$work/oce.pem" --oce-cert "$work/oce.crt"
    round "$method" "$@" --ca-key "$work/ca.pub"
    # A card that another authority vouches for.
    openssl pkey -in "$work/oce.pem" -pubout -out "$work/another.pub"
    refused "$method: another authority" 7 'WRONG KEY' local_ list "$@" --ca-key "$work/another.pub"
    ok "$method: release" local_ release
done

# Cards that open a channel and can do no more: what comes behind the opening is their word for "unknown".
opening() {
    opening=$1 sw=$2
    shift 2
    printf '%s\n' "$default_key" >"$work/key"
    refused "$opening: the opening" 4 'EXTERNAL AUTHENTICATE: 9000' local_ list --key "$work/key" --verbose "$@"
    refused "$opening: its answer to GET STATUS comes through" 4 "$sw" local_ list --key "$work/key" --level 01 "$@"
    printf '%s\n' 505152535455565758595A5B5C5D5E5F >"$work/key"
    refused "$opening: a wrong key" 7 'WRONG KEY' local_ list --key "$work/key" "$@"
    ok "$opening: release" local_ release
}
if given CARD_SCP03_OPENING 'an independent card that opens SCP03: a command'; then
    other_card "$CARD_SCP03_OPENING"
    opening SCP03 6A80
fi
if given CARD_SCP02_OPENING 'an independent card that opens SCP02: a command'; then
    other_card "$CARD_SCP02_OPENING"
    opening SCP02 6D00 --method SCP02:15 --allow-weak scp02,des
fi
tap_end
