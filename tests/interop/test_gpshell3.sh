#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# gpshell3 with its own example scripts, and the card test programme of its library, at the virtual card.
. "$(dirname "$0")/common.sh"
start_pcscd || exit 1

# gpshell3 with options that its scripts don't have.
wrapper() {
    printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$GPSHELL3" "$1" >"$work/gpshell3"
    chmod +x "$work/gpshell3"
    export GPSHELL3_BIN="$work/gpshell3"
}

example() { bash "$GPSHELL3_EXAMPLES/$1.sh"; }
mutual() { bash "$GPSHELL3_EXAMPLES/scp11-mutual-auth.sh" "$@"; }

if given GPSHELL3 'gpshell3: a program' && given GPSHELL3_EXAMPLES 'its folder of example scripts'; then
    export GPSHELL3_BIN="$GPSHELL3"
    keys=$GPSHELL3_EXAMPLES/../../../globalplatform/src
    export ECC_PUBLIC_KEY="${ECC_PUBLIC_KEY:-$keys/ecc_public_key_test.pem}"
    export ECC_PRIVATE_KEY="${ECC_PRIVATE_KEY:-$keys/ecc_private_key_test.pem}"
    new_card --test-keys
    ok 'install.sh' says 'flow completed' example install
    # Its buffer for the answer to DELETE [key] has no room for a response MAC.
    wrapper '--sec mac'
    ok 'put-auth.sh' says 'flow completed' example put-auth
    ok 'dm.sh' says 'flow completed' example dm
    export GPSHELL3_BIN="$GPSHELL3"
    new_card --test-keys
    # GPCS 2.3.1 9.3.5: a domain that may not manage content loads nothing, and the script wants it to.
    refused 'dap.sh: no load by a domain that may not' 10 '6985' example dap
    domain=D4D4D4D4D4010101 cap=$GPSHELL3_EXAMPLES/helloworld.cap
    hash=$("$GPSHELL3" hash --sha256 "$cap" | tr -d '\n')
    dap=$("$GPSHELL3" sign-dap ecc "$hash" "$ECC_PRIVATE_KEY" | tr -d '\n')
    refused 'dap.sh: a wrong block, by the issuer' 10 '' \
        "$GPSHELL3" install --hash "$hash" --dap "00${dap#??}" --dap-sd $domain "$cap"
    ok 'dap.sh: the right one, by the issuer' \
        "$GPSHELL3" install --hash "$hash" --dap "$dap" --dap-sd $domain "$cap"
    ok 'it is there' says 'D0D1D2D3D4D50101 lc=selectable' "$GPSHELL3" list-apps

    # Everything is made by its own scripts: authorities, certificates, and what goes onto the card.
    new_card --test-keys --kvn FF
    "$GPSHELL3" install "$caps/hello-jc222.cap" >/dev/null
    export KEY_DIR="$work/made"
    ok 'scp11-cert-creation.sh' bash "$GPSHELL3_EXAMPLES/scp11-cert-creation.sh" -o "$KEY_DIR"
    ok 'scp11-provision.sh' bash "$GPSHELL3_EXAMPLES/scp11-provision.sh"
    # Its STORE DATA takes 255 bytes a block and leaves no room for a MAC, so this host brings the certificates.
    chain=$(od -An -tx1 -v "$KEY_DIR/CERT.SD.ECKA.CHAIN.der" | tr -d ' \n')
    printf 'A60483021103BF2182%04X%s\n' $((${#chain} / 2)) "$chain" >"$work/chain"
    ok 'the chain of certificates' "$ferry" local store-data "$work/chain" --format tlv --default-key
    for own in use no; do
        ok "scp11-mutual-auth.sh, its own certificates, --$own-sd-public-key" \
            says 'F00000000101 lc=selectable' mutual --$own-sd-public-key
    done

    for form in x509 gp; do
        new_card --test-keys --scp11 a --scp11-form $form --host-keys "$work/$form"
        "$GPSHELL3" install "$caps/hello-jc222.cap" >/dev/null
        "$card" keys "$work/card.nvm" --kvn 03 --kid 11 >"$work/sd.pem"
        export KEY_DIR="$work/$form" SCP11_SD_PUBLIC_KEY="$work/sd.pem"
        export SK_OCE_ECKA_PEM="$KEY_DIR/oce.key" OCE_CERT_CHAIN_FILE="$KEY_DIR/oce.crt"
        [ $form = x509 ] || OCE_CERT_CHAIN_FILE=$KEY_DIR/oce.cert
        for own in use no; do
            ok "scp11-mutual-auth.sh, $form, --$own-sd-public-key" \
                says 'F00000000101 lc=selectable' mutual --$own-sd-public-key
        done
    done
fi

if given GP_CARD_TEST 'globalplatformIntegrationTest: the card test programme'; then
    # As on the cards that it was written for, there is something to list.
    new_card --test-keys
    hello=$caps/hello-jc222.cap
    printf '%s\n' "$default_key" >"$work/key"
    ok 'something to list' "$ferry" local install "$hello" --default-key
    cd "$(dirname "$GP_CARD_TEST")" || exit 1
    CK_FORK=no "$GP_CARD_TEST" >"$work/programme.log" 2>&1 </dev/null
    cd "$work" || exit 1
    sed -n 's/^[0-9]*%: Checks.*/# card test programme: &/p' "$work/programme.log"
    for case in $(sed -n 's/.*:P:[^:]*:\([^:]*\):0: Passed$/\1/p' "$work/programme.log"); do
        pass "card test programme: $case"
    done
    for case in $(sed -n 's/.*:[FE]:[^:]*:\([^:]*\):.*/\1/p' "$work/programme.log"); do
        fail "card test programme: $case"
    done
    ok 'the card test programme ran to its end' grep -q '^100%: Checks' "$work/programme.log"
fi
tap_end
