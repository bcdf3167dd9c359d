#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every sample CAP file: the good and the odd ones are downloaded, and their applets answer; the bad ones are refused by
# the server, each with its reason.
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A

# NAME APPLET..., as the table of the samples' README says.
good() {
    awk -F' *[|] *' '/^## / { on = /The good files/ }
        on && $4 ~ /^(F0|none)/ { gsub(/<br>/, " ", $4); print $2, $4 }' "$caps/README.md"
}

# FILE REASON, from the table that the parser's own test goes by.
bad() {
    sed -n '/^} bad\[\] = {/,/^};/p' "$root/lib/cap/test_cap.c" | tr -d '\n' |
        grep -o '{"[^"]*", *ERR_[A-Z]*, *"[^"]*"}' | sed 's/{"\([^"]*\)", *ERR_[A-Z]*, *"\([^"]*\)"}/\1 \2/; s/\\\\/\\/g'
}

refused_with() {
    ! "$ferry" app add "$1" --name "$2" >"$work/said" 2>&1 && grep -qF -- "$3" "$work/said" || {
        cat "$work/said"
        return 1
    }
}

# What has to be there before: packages that a file imports.
needs() {
    case $1 in
    app-jc222) echo lib-1.0-jc222 ;;
    app2-jc222) echo lib-1.1-jc222 ;;
    till-jc222) echo purse-jc222 ;;
    esac
}

goes_to_card() {
    order --app "$1" --type badge
    run "$card"
    ended "$2" confirmed none 0
}

# download FILE APPLET...: to a new card.
download() {
    card=$1 file=$caps/$1.cap
    [ -e "$file" ] || file=$(echo "$caps/odd/$1".*)
    shift
    ok "$card is stored" "$ferry" app add "$file" --name "$card"
    new_card "$card" "$key" --java-card 3.2 --memory 400000
    insert "$card"
    for before in $(needs "$card"); do
        goes_to_card "$before" "$card: before it $before"
    done
    goes_to_card "$card" "$card is delivered"
    for aid in "$@"; do
        [ "$aid" = none ] || same "$card: $aid answers" 9000 "$(select_app "$card" "$aid")"
    done
    pull "$card"
}

must 'the server starts' start_server
must 'the key is stored' add_key master aes128 "$key"
must 'the card type is stored' add_type badge 03 70 30 master 33

# Those that others need come first.
good | sed '/^lib-\|^purse-/!d' >"$work/good"
good | sed '/^lib-\|^purse-/d' >>"$work/good"
same 'the good ones are all named' "$(find "$caps" -maxdepth 1 -name '*.cap' | wc -l)" "$(wc -l <"$work/good")"
while read -r name applets <&3; do
    # shellcheck disable=SC2086 # words on purpose
    download "$name" $applets
done 3<"$work/good"
for file in "$caps"/odd/*; do
    name=${file##*/}
    download "${name%.*}" F00000000101
done

bad >"$work/bad"
same 'the bad ones all have a reason' "$(find "$caps/bad" -type f | wc -l)" "$(wc -l <"$work/bad")"
before=$("$ferry" app list --json | jq -s 'flatten | length')
while read -r file reason <&3; do
    ok "bad/$file is refused: $reason" refused_with "$caps/bad/$file" "bad-${file%.*}" "$reason"
done 3<"$work/bad"
same 'nothing of them is stored' "$before $(($(wc -l <"$work/good") + 8))" \
    "$("$ferry" app list --json | jq -s 'flatten | length') $before"
tap_end
