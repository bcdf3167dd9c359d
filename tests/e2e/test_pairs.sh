#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Methods with key pairs as an operator meets them: what is refused when keys, certificates and card types do not go
# together, with what sentence, and what puts it right.
. "$(dirname "$0")/world.sh"

host=$work/host
key=1D6C2F0B8E4A97533AC5F1E0D2B49687

# type_with FIELDS: what is stored as a card type for SCP11a.
type_with() {
    echo "{\"name\": \"x\", \"scp\": \"11\", \"i\": \"01\", \"kvn\": \"03\", \"level\": \"33\"${1:+, $1}}" >"$work/type.json"
}

# refused_type CODE NAME SENTENCE FIELDS: 1 for what can't be a type, 4 for one that does not fit what is stored.
refused_type() {
    type_with "$4"
    refused "$2" "$1" "$3" "$ferry" type add "$work/type.json" --replace
}

taken_type() {
    type_with "$2"
    ok "$1" "$ferry" type add "$work/type.json" --replace
}

refused_key() {
    refused "$1" 2 "$2" add_pair refused "$3" "$4" "$5"
}

# fails NAME CARD TYPE REASON CODE SENTENCE: an order that ends so, and leaves nothing on the card.
fails() {
    order --app hello-jc222 --type "$3"
    run "$2"
    ended "$1" failed "$4" "$5"
    told "$1: and says why" "$6"
    same "$1: and nothing is on the card" 6A82 "$(select_app "$2" F00000000101)"
}

succeeds() {
    order --app hello-jc222 --type "$3"
    run "$2"
    ended "$1" confirmed none 0
}

must 'the server starts' start_server
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap"
must 'a card with SCP11 is made' new_card eleven "$key" --scp11 ab --host-keys "$host"
must 'a card with signed commands' new_card signed "$key" --signed 04 --host-keys "$host"
must 'one without extended length' new_card short "$key" --signed 01 --host-keys "$host" --short-only
for card in eleven signed short; do
    insert $card
done
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt >"$work/other.key"
openssl pkey -in "$work/other.key" -pubout >"$work/other.pub"

# --- keys ---

refused_key 'a key that is not what its type says' 'the key in the file is ec256, not ec384' trust ec384 "$host/card-ca.pub"
refused_key 'a pair of another kind' 'the key in the file is ec256, not rsa2048' host rsa2048 "$host/oce.key"
refused_key 'a public key where a private one must be' 'expected the PEM of a private key' host ec256 "$host/oce.pub"
refused_key 'a pair as a master key' 'do not go together' master ec256 "$host/oce.key"
refused_key 'a peer without its card' 'need --card NUMBER' peer ec256 "$host/oce.pub"
must 'whom the cards are trusted by' add_pair cards trust ec256 "$host/card-ca.pub"
must 'somebody else' add_pair strangers trust ec256 "$work/other.pub"
must "the host's key pair" add_pair oce host ec256 "$host/oce.key"
must 'another one' add_pair other host ec256 "$work/other.key"

# --- SCP11 ---

certificates="\"certificates\": [\"$(hex_of "$host/oce.cert")\"]"
pair='"key": "oce", "ca_kvn": "03", "ca_kid": "10"'
refused_type 1 'no trust key is named' "'trust' is not the name" ''
refused_type 4 'one that is not there' "there is no key 'nobody'" "\"trust\": \"nobody\", $pair, $certificates"
refused_type 4 'one that is no trust key' "'oce' is not a trust key" "\"trust\": \"oce\", $pair, $certificates"
refused_type 1 'SCP11a without a key of the host' "SCP11a needs 'key'" '"trust": "cards"'
refused_type 1 'or without its certificate' "together with 'certificates'" "\"trust\": \"cards\", $pair"
refused_type 4 'what is no certificate' 'entry 1 is not a certificate' "\"trust\": \"cards\", $pair, \"certificates\": [\"3003020100\"]"
refused_type 4 'the certificate of another key' "is not that of the key 'other'" \
    "\"trust\": \"cards\", \"key\": \"other\", $certificates"
taken_type 'an authority that the card does not know' \
    "\"trust\": \"cards\", \"key\": \"oce\", \"ca_kvn\": \"05\", \"ca_kid\": \"10\", $certificates"
fails 'is found out by the card' eleven x no-key 7 'no key of an authority for the host'"'"'s certificate: version 05, identifier 10'
taken_type 'a trust key that did not sign the card'"'"'s certificate' "\"trust\": \"strangers\", $pair, $certificates"
fails 'is found out by the server' eleven x wrong-key 7 'does not fit key strangers'
ok 'somebody looks at the card' "$ferry" card release "$(number_of eleven)" 'the type was wrong'
taken_type 'a type where all fits' "\"trust\": \"cards\", $pair, $certificates"
succeeds 'and the card is served' eleven x

# --- signed commands ---

must "the server's key pair" add_pair server host ec256 "$host/server-04.key"
must 'another one for RSA' add_pair server-rsa host rsa2048 "$host/server-01.key"
echo '{"name": "f", "scp": "F0", "i": "05", "kvn": "40", "key": "server"}' >"$work/type.json"
refused 'a key that is not one of this i' 4 'it is ec256' "$ferry" type add "$work/type.json"
must 'the card type' add_pair_type f F0 04 40 33 '"key": "server"'
fails 'a card whose public key is not known' signed f no-key 7 'no public key of this card'
must 'somebody else is taken for it' add_pair wrong peer ec256 "$work/other.pub" --card "$(number_of signed)"
fails 'a card with another key than the server knows' signed f wrong-key 7 'does not fit key wrong'
ok 'the wrong key is retired' "$ferry" key retire wrong 1
ok 'somebody looks at the card' "$ferry" card release "$(number_of signed)" 'the key was wrong'
must 'its key is stored' add_peer signed signed ec256
succeeds 'and the card is served' signed f
must 'a card type for RSA' add_pair_type r F0 01 40 33 '"key": "server-rsa"'
must 'the key of the short card' add_peer short short rsa2048
fails 'a card without extended length' short r refused 4 'no extended length: the signature of each command'
for card in eleven signed short; do
    pull $card
done
tap_end
