#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Data, security domains, DAP blocks and scripts by "ferry local".
. "$(dirname "$0")/local.sh"

key=1D6C2F0B8E4A97533AC5F1E0D2B49687
echo $key >"$work/key"
echo A0A1A2A3A4A5A6A7A8A9AAABACADAEAF >"$work/new"
chmod 600 "$work/key" "$work/new"
hello=F00000000101

# ---- STORE DATA
card data "$key"
local_does 'an application is installed' install "$caps/hello-jc222.cap" --key "$work/key"
echo '# two groupings
0101 03 112233
8113 10 000102030405060708090A0B0C0D0E0F' >"$work/data.dgi"
local_does 'data groupings' store-data "$work/data.dgi" --to $hello --secret 8113 --key "$work/key" --verbose
said 'with secrets' 'STORE DATA block 0'
said 'that are not shown' '! 0001020304'
held 'reach the application' 1 '.applications[0].stored_blocks'
{
    echo 7F01820400
    seq -f '%04g' 512 | tr -d '\n'
} >"$work/data.tlv"
local_does 'a long object' store-data "$work/data.tlv" --to $hello --format tlv --key "$work/key"
held 'takes several blocks' 6 '.applications[0].stored_blocks'
local_does 'at each level' store-data "$work/data.tlv" --to $hello --format tlv --key "$work/key" --level 01
local_refuses 'what is no row of groupings' 2 'data groupings' store-data "$work/data.tlv" --format dgi --key "$work/key"
local_refuses 'a secret that is not there' 2 'none of the data groupings' store-data "$work/data.dgi" --secret 9999 --key "$work/key"
local_refuses 'a file that is not there' 2 "can't be read" store-data "$work/no-such" --key "$work/key"
local_refuses 'an application that is not there' 4 'refused' store-data "$work/data.dgi" --to F0000000FF --key "$work/key"
echo '45 04 01020304' >"$work/cin"
local_does 'the card manager takes its own' store-data "$work/cin" --format tlv --key "$work/key" --level 01

# ---- security domains
local_does 'a security domain is made' create-domain F0000000D1 --key "$work/key" --privileges dap-verification
local_does 'it is listed' list --key "$work/key"
said 'as what it is' 'F0000000D1 .*security domain'
local_refuses 'not twice' 4 'holds F0000000D1 already' create-domain F0000000D1 --key "$work/key"
local_refuses 'nothing moves to a domain without keys' 4 'for extradition' create-domain F0000000D2 --key "$work/key" --extradite-to F0000000D1
local_refuses 'a parent that is not there' 4 'extradite-to' create-domain F0000000D3 --key "$work/key" --extradite-to F0000000FF
local_does 'a package goes into a domain' install "$caps/counter-jc222.cap" --to F0000000D1 --key "$work/key" --dry-run
said 'in words' 'into F0000000D1'

local_does 'one with keys' create-domain F0000000D4 --new-key "$work/new" --key "$work/key"
local_does 'opens with its own' list --domain F0000000D4 --key "$work/new" --kvn 30
said 'and lists itself' 'F0000000D4 .*PERSONALIZED'
local_does 'one with keys goes below it' create-domain F0000000D5 --new-key "$work/new" --new-kvn 31 --key "$work/key" --extradite-to F0000000D4
local_does 'the card is listed' list --key "$work/key" --json
same 'and says so' F0000000D4 "$(jq -r '.registry[] | select(.aid == "F0000000D5") | .domain' "$work/out")"
local_does 'all that is shown before' create-domain F0000000D6 --new-key "$work/new" --key "$work/key" --extradite-to F0000000D4 --dry-run --json
same 'in three steps' 'INSTALL PUT INSTALL' "$(jq -r '[.commands[] | split(" ")[0]] | join(" ")' "$work/out")"
local_does 'keys come by STORE DATA, too' create-domain F0000000E7 --by store-data --new-key "$work/new" --key "$work/key" --verbose
said 'encrypted' 'STORE DATA block 0, .*encrypted, the last: 9000'
said 'and not shown' '! A0A1A2A3'
local_does 'and open the domain' list --domain F0000000E7 --key "$work/new" --kvn 30
local_does 'at a level without encryption' create-domain F0000000E8 --by store-data --new-key "$work/new" --new-kvn 31 --key "$work/key" --level 01 --extradite-to F0000000E7
local_does 'the card is listed' list --key "$work/key" --json
same 'and says where it belongs' F0000000E7 "$(jq -r '.registry[] | select(.aid == "F0000000E8") | .domain' "$work/out")"
local_refuses 'a way that is none' 2 'store-data' create-domain F0000000D6 --by mail --key "$work/key"

# ---- DAP blocks: what is loaded for the domain is verified with its key
openssl ecparam -name prime256v1 -genkey -noout -out "$work/dap.pem" 2>/dev/null
openssl pkey -in "$work/dap.pem" -pubout -out "$work/dap.pub"
openssl ecparam -name prime256v1 -genkey -noout -out "$work/stranger.pem" 2>/dev/null
local_does 'a domain that verifies' create-domain F0000000D7 --privileges dap-verification --new-key "$work/new" --key "$work/key"
local_does 'gets its key' put-key 73 --new-pem "$work/dap.pub" --new-kid 01 --domain F0000000D7 --key "$work/new" --kvn 30
local_does 'a CAP file is signed' dap "$caps/multi-jc222.cap" --sign "$work/dap.pem" --for F0000000D7 --out "$work/good.dap"
same 'with the domain and a signature' 'e2494f05f0000000d7c340' "$(head -c 11 "$work/good.dap" | od -An -tx1 | tr -d ' \n')"
local_does 'and by somebody else' dap "$caps/multi-jc222.cap" --sign "$work/stranger.pem" --for F0000000D7 --out "$work/wrong.dap"
local_refuses 'a block is not written over' 1 'already' dap "$caps/multi-jc222.cap" --sign "$work/dap.pem" --for F0000000D7 --out "$work/good.dap"
local_refuses 'a public key does not sign' 2 'no private key' dap "$caps/multi-jc222.cap" --sign "$work/dap.pub" --for F0000000D7 --out "$work/x"
local_refuses 'nor does SHA-1 as a matter of course' 18 'allow-weak sha1' dap "$caps/multi-jc222.cap" --sign "$work/dap.pem" --for F0000000D7 --out "$work/x" --hash sha1
ok 'and nothing is left of these' test ! -e "$work/x"
local_refuses 'what is no block' 2 'not a DAP block' install "$caps/multi-jc222.cap" --dap "$work/key" --key "$work/key"
local_refuses 'a load without it is refused' 4 'signature' load "$caps/multi-jc222.cap" --to F0000000D7 --key "$work/key"
local_refuses 'and with the wrong one' 4 'signature' load "$caps/multi-jc222.cap" --to F0000000D7 --dap "$work/wrong.dap" --key "$work/key"
local_does 'with the right one it is loaded' load "$caps/multi-jc222.cap" --to F0000000D7 --dap "$work/good.dap" --key "$work/key"

# ---- delegated management: what a domain without authority does needs the issuer's token
openssl ecparam -name prime256v1 -genkey -noout -out "$work/token.pem" 2>/dev/null
openssl pkey -in "$work/token.pem" -pubout -out "$work/token.pub"
local_does 'the card gets the key of tokens' put-key 70 --new-pem "$work/token.pub" --new-kid 01 --key "$work/key" --kvn 30
local_does 'a domain that may with a token' create-domain F0000000D8 --privileges delegated-management --new-key "$work/new" --key "$work/key" --kvn 30
local_refuses 'may not without' 4 'INSTALL' load "$caps/bulk24-jc222.cap" --domain F0000000D8 --to F0000000D8 --key "$work/new" --kvn 30
local_refuses 'nor with the token of somebody else' 4 'INSTALL' load "$caps/bulk24-jc222.cap" --domain F0000000D8 --to F0000000D8 --token-key "$work/stranger.pem" --key "$work/new" --kvn 30
local_does 'but with the right one' load "$caps/bulk24-jc222.cap" --domain F0000000D8 --to F0000000D8 --token-key "$work/token.pem" --key "$work/new" --kvn 30

# and the card confirms it with a receipt
by_token="--domain F0000000D8 --key $work/new --kvn 30 --token-key $work/token.pem"
openssl ecparam -name prime256v1 -genkey -noout -out "$work/receipt.pem" 2>/dev/null
openssl pkey -in "$work/receipt.pem" -pubout -out "$work/receipt.pub"
openssl pkey -in "$work/stranger.pem" -pubout -out "$work/stranger.pub"
# shellcheck disable=SC2086
local_refuses 'a card without a key for receipts gives none' 5 'no receipt' uninstall "$caps/bulk24-jc222.cap" $by_token --receipt-key "$work/receipt.pub"
local_does 'it gets one' put-key 71 --new-pem "$work/receipt.pem" --private --new-kid 01 --key "$work/key" --kvn 30
# shellcheck disable=SC2086
local_does 'what is installed' install "$caps/bulk24-jc222.cap" --to F0000000D8 $by_token --receipt-key "$work/receipt.pub"
said 'is confirmed, load and installation' 'confirmed it: 2 receipts'
local_refuses 'nothing goes without a token' 4 'DELETE' uninstall "$caps/bulk24-jc222.cap" --domain F0000000D8 --key "$work/new" --kvn 30
# shellcheck disable=SC2086
local_refuses 'a receipt of somebody else' 5 'not the one for it' load "$caps/bulk60-jc222.cap" --to F0000000D8 $by_token --receipt-key "$work/stranger.pub"
# shellcheck disable=SC2086
local_does 'what is removed' uninstall "$caps/bulk24-jc222.cap" $by_token --receipt-key "$work/receipt.pub" --json
same 'is confirmed, instance and package' 2 "$(jq .receipts "$work/out")"
local_refuses 'a key for receipts that is none' 2 'not a key in PEM' delete F000000001 --receipt-key "$work/key" --key "$work/key"
local_does 'a domain that sees others' create-domain F0000000D9 --privileges delegated-management,global-registry --new-key "$work/new" --key "$work/key" --kvn 30
by_token="--domain F0000000D9 --key $work/new --kvn 30 --token-key $work/token.pem"
# shellcheck disable=SC2086
local_does 'moves what is its own' create-domain F0000000DA $by_token --receipt-key "$work/receipt.pub" --extradite-to F0000000D4
said 'with a receipt for each step' 'confirmed it: 2 receipts'

# ---- scripts
local_does 'a plain script needs no card' script "$caps/counter-jc222.cap" --out "$work/plain.script"
same 'and is one of commands' aa "$(head -c 1 "$work/plain.script" | od -An -tx1 | tr -d ' \n')"
local_refuses 'which the card refuses' 4 'refused' play "$work/plain.script"
local_does 'a signed one is made for the card' script "$caps/counter-jc222.cap" --signed --key "$work/key" --out "$work/signed.script"
held 'which is not changed by that' 3 '.packages | length'
local_does 'and plays on it' play "$work/signed.script"
same 'the application answers' 9000 "$(select_app data F00000000201)"
local_refuses 'but once only' 4 'refused' play "$work/signed.script"
local_does 'what was counted for that' release
local_refuses 'what is no script' 2 'not a script' play "$work/key"
pull data
tap_end
