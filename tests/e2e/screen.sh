# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# A screen that nobody sees, and a hand for the dialogs on it. Sourced behind world.sh.
#
#   start_screen         there are DISPLAY, and windows
#   window_of KIND       is there a window of the client, "question" or "error"
#   dialogue KIND        waits for one, and prints what it was started with
#   answer yes|no|enter  presses keys in it, until it is gone; enter is what somebody presses who has not read it

display=7

screen_is_there() {
    [ -S "/tmp/.X11-unix/X$display" ] && xdotool getdisplaygeometry
}

start_screen() {
    # Its socket and its keyboard's map are ours alone, so that several of these worlds can have the same screen.
    mkdir -p /tmp/.X11-unix && mount -t tmpfs tmpfs /tmp/.X11-unix && mount -t tmpfs tmpfs /var/lib/xkb || return
    export DISPLAY=":$display" GTK_A11Y=none NO_AT_BRIDGE=1
    # Without -noreset it turns away whoever comes just as its last client leaves.
    spawn screen Xvfb "$DISPLAY" -screen 0 1024x768x24 -nolisten tcp -nolock -noreset
    await screen_is_there
}

# $dialogue is its process, $window its window.
window_of() {
    dialogue=$(pgrep -f -o -- "^zenity --$1") && window=$(xdotool search --onlyvisible --pid "$dialogue" | tail -n 1) &&
        [ -n "$window" ]
}

dialogue() {
    await window_of "$1" && window_of "$1" && tr '\0' '\n' <"/proc/$dialogue/cmdline"
}

is_gone() {
    ! kill -0 "$dialogue" 2>/dev/null
}

# Without a window manager the keyboard goes to the window below the pointer. The button that has the focus is "no".
# Keys are lost on a window that still draws itself.
answer() {
    for answer_try in 1 2 3 4 5 6 7 8; do
        xdotool mousemove --window "$window" 20 20 && sleep 0.2
        case $1 in
        yes) xdotool key --clearmodifiers Tab Return ;;
        no) xdotool key --clearmodifiers Escape ;;
        enter) xdotool key --clearmodifiers Return ;;
        esac
        await_for 3 is_gone && return
        echo "# try $answer_try came to nothing"
    done
    return 1
}
