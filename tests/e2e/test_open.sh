#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the desktop starts for a link: the user is asked before anybody is called, on a terminal here (with dialogs:
# test_desktop.sh), and only a yes goes on. Nobody to ask is a no.
. "$(dirname "$0")/world.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
unset DISPLAY WAYLAND_DISPLAY LC_ALL LC_MESSAGES
export LANG=C.UTF-8 HOME="$work/home" XDG_CONFIG_HOME="$work/home/config"
mkdir -p "$HOME"

# answer WORD CARD [OPTION...]: opens $link on a terminal of its own where WORD is typed.
answer() {
    answer_word=$1 answer_reader=$(reader_of "$2")
    shift 2
    code=0
    echo "$answer_word" | script -qec "'$ferry' open '$link' --reader '$answer_reader' --json $*" /dev/null \
        >"$work/terminal.out" 2>&1 || code=$?
    # What comes behind the question stands in its line.
    tr -d '\r' <"$work/terminal.out" | sed 's/\] {"event"/]\n{"event"/' >"$work/run.out"
    : >"$work/run.err"
    run_end
}

# alone CARD: opens $link where there is neither terminal nor desktop.
alone() {
    code=0
    setsid -w "$ferry" open "$link" --reader "$(reader_of "$1")" --json >"$work/run.out" 2>"$work/run.err" </dev/null ||
        code=$?
    run_end
}

commands() {
    grep -c ' card.command ' "$work/card-$1.log"
}

start_badges
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap" --name hello
must 'a card is made' new_card card $key --scp 03 --i 70 --kvn 30
must 'the card is in the reader' insert card --log
must 'an order is made' order --app hello --type badge
url=$(jq -r .url "$work/order.json")

# Whom to trust comes from the user's own profile, and nothing else does.
profile=$FERRY_PROFILE
unset FERRY_PROFILE
link=$ticket
answer y card
ended 'without an authority the server is not trusted' failed server-untrusted 12
mkdir -p "$XDG_CONFIG_HOME/cardferry"
cp "$profile" "$XDG_CONFIG_HOME/cardferry/ferry.conf"
ok 'the default profile is found by every verb' "$ferry" app list --quiet

before=$(commands card)
alone card
ended 'with nobody to ask nothing is done' failed nobody-to-ask 18
asked=$(($(commands card) - before))
ok 'but the card was asked who it is' test $asked -gt 0
before=$(commands card)
answer n card
ended 'no is no' failed declined 18
same 'and the card was only asked who it is' "$asked" "$(($(commands card) - before))"
ok 'the question names the server' grep -q '^Server: localhost:8443$' "$work/run.out"
ok 'the card and its reader' grep -q "^Card: $(number_of card), in reader sim:$work/card.sock\$" "$work/run.out"
ok 'and the operation' grep -q '^Operation: .*hello' "$work/run.out"
link=$(link_of "$url")
answer n card
ok 'or that a link does not say which' grep -q '^Operation: the link does not say which$' "$work/run.out"
before=$(commands card)
answer 'yes please' card
ended 'what is not yes is no' failed declined 18
answer '' card
ended 'saying nothing is no' failed declined 18
same 'the server was never asked' 0 "$(FERRY_PROFILE=$profile "$ferry" session list --json | jq length)"

# A link that says something else than the server.
link=$(link_of "$url" 02 hello 'Hello <b>World</b>')
answer y card
ended 'a link for another operation' failed other-order 18
told 'says what it said' "remove hello"
ok 'the question named the operation' grep -qF 'Operation: remove an application: hello (Hello <b>World</b>)' "$work/run.out"
link=$(link_of "$url" 01 hullo)
answer y card
ended 'a link for another application' failed other-order 18

# German, and yes.
export LANG=de_DE.UTF-8
link=$(echo "$ticket" | sed 's,cardferry:,cardferry://,; s,-,%2D,g; s,_,%5f,g')
answer ja card
ended 'yes goes on' confirmed none 0
ok 'and the question was German' grep -q '^Möchten Sie das? \[j/N\]' "$work/run.out"
ok 'the card has it' sh -c "$(command -v "$ferry_card") show '$work/card.card' | grep -q F00000000101"

# The card may be put in after the answer, and is the one that was named, if one was.
# ask_slowly: asks on a terminal where nothing is typed yet.
ask_slowly() {
    mkfifo "$work/keys"
    spawn terminal sh -c "exec script -qec \"'$ferry' open '$link' --reader 'sim:$work/desk.sock' --json\" /dev/null <'$work/keys'"
    exec 9>"$work/keys"
    await grep -q 'Do you want this?\|Möchten Sie das?' "$work/terminal.log"
}

# say WORD: types it, and waits for the end.
say() {
    echo "$1" >&9
    code=0
    stop terminal '' || code=$?
    exec 9>&-
    tr -d '\r' <"$work/terminal.log" | sed 's/\] {"event"/]\n{"event"/' >"$work/run.out"
    rm "$work/keys" "$work/terminal.log"
    run_end
}

put_in() {
    spawn "card-$1" "$ferry_card" run "$work/$1.card" --socket "$work/desk.sock" --log
    await test -S "$work/desk.sock"
}

pull card
export LANG=C.UTF-8
for card in first second; do
    must "card $card is made" new_card $card $key --scp 03 --i 70 --kvn 30
done
order --app hello --type badge --cards 2
link=$ticket
ok 'it asks without a card, too' ask_slowly
ok 'and says so' grep -q '^Card: none yet' "$work/terminal.log"
spawn later sh -c "sleep 1; exec '$ferry_card' run '$work/first.card' --socket '$work/desk.sock'"
say y
ended 'a card that is put in afterwards is served' confirmed none 0
ok 'it waited for it' grep -q '"event":"reader"' "$work/run.out"
stop later
put_in first
ok 'it asks for a card' ask_slowly
stop card-first
put_in second
say y
ended 'another card that was put in since is refused' failed other-card 18
same 'after it was asked who it is' "$asked" "$(commands second)"
stop card-second

refused 'an address is no link' 9 'ferry run' "$ferry" open "$url"
refused 'nor is a ticket' 9 'ferry run' "$ferry" open -- "${url##*=}"
refused 'a broken link' 9 'no ticket' "$ferry" open 'cardferry:%'
tap_end
