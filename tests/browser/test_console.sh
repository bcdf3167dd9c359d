#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The operator's page: who gets in and how, that no other page changes anything, and every view of it, with as many
# cards as a transit authority has.
. "$(dirname "$0")/browser.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
other=E2937A51C40D8F6B1E5AA7903CD8B264
many=100000

# What a browser opens to be signed in.
sign_in_link() {
    "$ferry" console --json | jq -r .url
}

# by_hand METHOD PATH [CURL-OPTION...]: as a program sends it that has a cookie but is no page of ours; the status.
by_hand() {
    hand_method=$1 hand_path=$2
    shift 2
    curl -sS --cacert "$server/ca.pem" -o /dev/null -w '%{http_code}' -X "$hand_method" "$@" "$origin$hand_path"
}

# What changes would leave behind.
changes() {
    "$ferry" audit --json | jq -c '[.[] | select(.what != "operator.signed-in")] | length'
}

# Cards like the one that was served, many times.
clone_cards() {
    clone_columns=$(sqlite3 "$1" "SELECT group_concat(CASE name WHEN 'number' THEN 'printf(''42030000%06d'', i)' ELSE name END)
        FROM pragma_table_info('cards')")
    sqlite3 "$1" "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $many)
        INSERT INTO cards SELECT $clone_columns FROM n, (SELECT * FROM cards LIMIT 1)"
}

# More than a page of a listing has.
more_types() {
    for more in $(seq 100 299); do
        add_type "spare$more" 03 70 30 master 33 || return
    done
}

must 'a server is set up' settings 'issuer = Example Transit' "client_ca = $server/ca.pem"
must 'the desk' start_desk
must 'an operator has a certificate' operator_certificate
must 'certificates of other sites' certificate foreign /CN=foreign.test subjectAltName=DNS:foreign.test
must 'pcscd' start_pcscd
must 'the server starts' start_server
must 'the key is stored' add_key master aes128 "$key"
must 'the type is stored' add_type badge 03 70 30 master 33 '"title": "Staff badge", "title_de": "Dienstausweis"'
must 'a careful type is stored' add_type careful 03 70 30 master 33 '"identify_first": true'
must 'and many more' more_types
must 'the application is stored' add_app hello "$caps/hello-jc222.cap" '"title": "Greeter"'
must 'a card is served' fresh served
order --app hello --type badge
run served
ended 'and knows its application' confirmed none 0
pull served
new_card stranger "$other"
insert stranger
order --app hello --type careful
run stranger
ended 'another is set aside' failed wrong-key 7
aside=$(number_of stranger)
pull stranger
stop_server
must "$many cards more" clone_cards "$server/store/ferryd.db"
must 'the server starts with them' start_server
browse console.mjs
tap_end
