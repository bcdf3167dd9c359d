#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# From a click to the card, with the real parts of a desktop: the package is built and unpacked, its handler is found,
# xdg-open starts it, a real dialog asks on a real (if invisible) screen, and a key press is the answer.
transport=pcsc
. "$(dirname "$0")/world.sh"
. "$(dirname "$0")/screen.sh"

key=9B1E64C7D25A3F80E4B7016C8D92F53A
unset WAYLAND_DISPLAY LC_ALL LC_MESSAGES XDG_CURRENT_DESKTOP DESKTOP_SESSION BROWSER
export LANG=C.UTF-8 HOME="$work/home" XDG_CONFIG_HOME="$work/home/config" XDG_CACHE_HOME="$work/home/cache"
export XDG_RUNTIME_DIR="$work/home/run" GDK_BACKEND=x11 GSETTINGS_BACKEND=memory
mkdir -p "$HOME/config/cardferry" "$HOME/run"

# meet KIND yes|no|enter: the dialog comes, and that is the answer; what it said is in $work/words.
meet() {
    dialogue "$1" >"$work/words" && answer "$2"
}

# declined: the link ended, and because somebody said no.
declined() {
    code=0
    stop handler '' || code=$?
    ok 'the exit code is no success' test "$code" != 0
    ok 'no is no' grep -q 'you did not agree' "$work/handler.log"
}

no_dialog() {
    ! pgrep -x zenity
}

# follow LINK: as a browser or a mail program would; what comes of it is in handler.log.
follow() {
    rm -f "$work/handler.log"
    spawn handler xdg-open "$1"
}

sessions() {
    FERRY_PROFILE=$profile "$ferry" session list --json | jq length
}

confirmed() {
    [ "$(FERRY_PROFILE=$profile "$ferry" session list --json | jq '[.[] | select(.outcome == "confirmed")] | length')" = "$1" ]
}

ok 'the desktop file is valid' desktop-file-validate --no-hints "$root/packaging/desktop/cardferry.desktop"
ok 'the policy is JSON' jq . "$root/packaging/chromium/cardferry.json"
must 'the package is built' cpack --config "$build/CPackConfig.cmake" -B "$work/package"
deb=$(echo "$work"/package/*.deb)
same 'its name' cardferry-client "$(dpkg-deb -f "$deb" Package)"
ok 'what it links comes with it' sh -c "dpkg-deb -f '$deb' Depends | grep 'libpcsclite1.*libssl3'"
must 'it is unpacked' dpkg -x "$deb" "$work/root"
same 'with the program, its page, its handler, its service and an example' \
    'bin/ferry lib/systemd/user/ferry-agent.service share/applications/cardferry.desktop share/doc/cardferry-client/examples/cardferry.json share/man/man1/ferry.1' \
    "$(cd "$work/root/usr" && find . -type f | sed 's,^./,,' | sort | paste -sd' ')"
ok 'nothing starts the agent by itself' sh -c "! find '$work/root' -name '*.wants' | grep ."
# What the package manager's trigger does.
update-desktop-database "$work/root/usr/share/applications"
export XDG_DATA_DIRS="$work/root/usr/share:/usr/share" PATH="$work/root/usr/bin:$PATH"
same 'the handler is found' cardferry.desktop "$(xdg-mime query default x-scheme-handler/cardferry)"
same 'and is the package' "$work/root/usr/bin/ferry" "$(command -v ferry)"

must 'the daemon is up' start_pcscd
start_badges
must 'the application is stored' "$ferry" app add "$caps/hello-jc222.cap" --name hello
must 'a card is made' new_card card $key --scp 03 --i 70 --kvn 30
must 'the card is in the reader' insert card
must 'a key for older cards is stored' add_key old des3 "$key"
must 'and their type' add_type old 02 55 30 old 03
must 'an older card is made' new_card old $key --scp 02 --i 55 --kvn 30
must 'an order for it' order --app hello --type old
old_link=$ticket
must 'an order is made' order --app hello --type badge --cards 9
url=$(jq -r .url "$work/order.json")
profile=$FERRY_PROFILE
unset FERRY_PROFILE
cp "$profile" "$XDG_CONFIG_HOME/cardferry/ferry.conf"

DISPLAY=:99 follow "$ticket"
code=0
stop handler '' || code=$?
ok 'without a screen nobody says no' grep -q 'there is nobody to ask' "$work/handler.log"
same 'and the server was not called' 0 "$(sessions)"
must 'there is a screen' start_screen

follow "$ticket"
ok 'a dialog asks, and Return is no' meet question enter
declined
same 'and the server was not called' 0 "$(sessions)"
ok 'nor is there another dialog' no_dialog
follow "$ticket"
ok 'it asks again, and is closed' meet question no
declined
same 'nor was it now' 0 "$(sessions)"

# The button beside the default one.
follow "$ticket"
ok 'it asks again, and somebody presses yes' meet question yes
ok 'the link ends well' stop handler ''
ok 'the card was served' confirmed 1
ok 'it has the application' sh -c "'$ferry_card' show '$work/card.card' | grep -q F00000000101"

# As browsers and mail programs hand it on; with a title that tries to be more than text.
link=$(link_of "$url" 01 hello '<b>x</b> & \nServer: y --help "z')
follow "$(echo "$link" | sed 's,cardferry:,cardferry://,; s,g,%67,g')"
ok 'percent-encoded: it asks, and somebody presses yes' meet question yes
ok 'the link ends well' stop handler ''
ok 'the card was served' confirmed 2

# What went wrong is said in a dialog: nobody sees this program's output.
link=$(link_of "$url" 02 hello)
follow "$link"
ok 'a link for something else: it asks' meet question yes
ok 'and another dialog says what went wrong' meet error enter
code=0
stop handler '' || code=$?
ok 'it ends so' test "$code" != 0
ok 'the card was not served' confirmed 2
# Words beyond ASCII reach the dialog, whatever the locale can write.
export LANG=C
follow "$(link_of "$url" 01 hello 'Grüße')"
ok 'a title that is not ASCII: it asks' meet question no
stop handler ''
export LANG=de_DE.UTF-8
follow "$link"
ok 'in German: it asks' meet question yes
ok 'and another says what went wrong' meet error enter
ok 'in German, too' grep -q 'Der Auftrag konnte nicht ausgeführt werden' "$work/words"
stop handler ''
ok 'and no other dialog' no_dialog
# Done, if without proof: for the page to say, and no failure.
pull card
must 'an older card is in the reader' insert old
follow "$old_link"
ok 'an older card: it asks' meet question yes
stop handler ''
ok 'it ends without another dialog' grep -q '^ferry: reported: ' "$work/handler.log"
ok 'the card has the application' sh -c "'$ferry_card' show '$work/old.card' | grep -q F00000000101"
tap_end
