# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# A world with a desk in it: the reader and its daemon, a screen, a desktop that knows what opens "cardferry:", and
# Chromium, which trusts the server's authority and nothing else. Sourced by the tests of the pages, behind their
# description; with all of tests/e2e/world.sh and screen.sh.
#
#   settings LINE...     more lines for the server's configuration, before it is started
#   start_desk           screen, home, authorities, policies: what Chromium and the client find
#   policies FILTER      what Chromium is told by the desk's administrator
#   handler yes|no       whether the desktop knows what opens the links
#   certificate NAME SUBJECT [EXTENSION], operator_certificate   by the server's authority; the operator's is in Chromium
#   api METHOD PATH [JSON]    of docs/api.md, as the administrator; the answer
#   add_app NAME FILE [FIELDS]     an application that was looked at; FIELDS is more JSON, such as '"title":"Badge"'
#   fresh NAME [OPTION...]    a new card with the key $key, in the reader (options of ferry-card run)
#   browse FILE.mjs      runs the journeys in it; what it asks the world for, this shell does (lib/world.mjs)

transport=pcsc
. "$(dirname "$0")/../e2e/world.sh"
. "$(dirname "$0")/../e2e/screen.sh"

origin=https://localhost:8443
shots=$build/browser
modules=$build/browser/node_modules
PATH=$build/src/ferry:$PATH
export HOME="$work/home" XDG_DATA_HOME="$work/home/share" XDG_CONFIG_HOME="$work/home/config" \
    XDG_STATE_HOME="$work/home/state" XDG_CACHE_HOME="$work/home/cache"

[ -d "$modules/playwright-core" ] || {
    echo "# what drives the browser is not there: cmake --build $build --target browser_tools"
    exit 1
}

settings() {
    [ -e "$server/ferryd.conf" ] || "$ferryd" init "$server" >/dev/null || return
    printf '%s\n' "$@" >>"$server/ferryd.conf"
}

api() {
    api_method=$1 api_path=$2
    shift 2
    printf '%s' "${1:-}" | curl -fsS --cacert "$server/ca.pem" -X "$api_method" -H "Authorization: Bearer $(cat "$server/admin.token")" \
        -H 'Content-Type: application/json' --data-binary @- "$origin/api/v1/$api_path"
}

add_app() {
    api POST apps "{\"name\": \"$1\", \"cap\": \"$(base64 -w 0 "$2")\", \"approved\": true${3:+, $3}}"
}

fresh() {
    fresh_name=$1
    shift
    new_card "$fresh_name" "$key" && insert "$fresh_name" "$@"
}

# The profile of somebody who only has a card: which authority signed the server's certificate.
holder_profile() {
    echo "ca = $server/ca.pem" >"$work/holder.conf"
}

trust_authority() {
    mkdir -p "$HOME/.pki/nssdb" &&
        certutil -N -d "sql:$HOME/.pki/nssdb" --empty-password &&
        certutil -A -d "sql:$HOME/.pki/nssdb" -n authority -t C,, -i "$server/ca.pem"
}

# certificate NAME SUBJECT [EXTENSION]: by the server's authority; $work/NAME.key and NAME.pem.
certificate() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$work/$1.key" &&
        openssl req -new -key "$work/$1.key" -subj "$2" -out "$work/$1.csr" &&
        echo "${3:-basicConstraints=CA:FALSE}" >"$work/$1.ext" &&
        openssl x509 -req -in "$work/$1.csr" -CA "$server/ca.pem" -CAkey "$server/ca.key" -days 2 \
            -extfile "$work/$1.ext" -out "$work/$1.pem"
}

# An operator's certificate, where Chromium finds it.
operator_certificate() {
    certificate operator /CN=olga 'extendedKeyUsage=clientAuth' &&
        openssl pkcs12 -export -in "$work/operator.pem" -inkey "$work/operator.key" -name olga -passout pass: \
            -out "$work/operator.p12" &&
        pk12util -d "sql:$HOME/.pki/nssdb" -i "$work/operator.p12" -W ''
}

# policies FILTER: as an administrator of desks sets them, on this world's own /etc/chromium: what jq's FILTER leaves of
# the file that the project has for it, for our server, and which certificate is shown to it.
policies() {
    mountpoint -q /etc/chromium || mount -t tmpfs tmpfs /etc/chromium || return
    mkdir -p /etc/chromium/policies/managed &&
        jq "walk(if . == \"https://cards.example.org\" then \"$origin\" else . end) | $1
            | .AutoSelectCertificateForUrls = [({pattern: \"$origin\", filter: {ISSUER: {CN: \"Cardferry private authority\"}}}
            | tojson)]" "$root/packaging/chromium/cardferry.json" >/etc/chromium/policies/managed/cardferry.json
}

handler() {
    mkdir -p "$XDG_DATA_HOME/applications" "$XDG_CONFIG_HOME"
    rm -f "$XDG_DATA_HOME/applications/cardferry.desktop" "$XDG_CONFIG_HOME/mimeapps.list"
    [ "$1" = no ] && return
    cp "$root/packaging/desktop/cardferry.desktop" "$XDG_DATA_HOME/applications/" &&
        xdg-mime default cardferry.desktop x-scheme-handler/cardferry &&
        [ "$(xdg-mime query default x-scheme-handler/cardferry)" = cardferry.desktop ]
}

start_desk() {
    export LANG=C.UTF-8
    mkdir -p "$HOME" "$shots" && start_screen && holder_profile && trust_authority &&
        policies '{AutoLaunchProtocolsFromOrigins}' && handler yes
}

# After journeys that broke off: no card in the reader, no window, reader and handler where they belong.
tidy_up() {
    for tidy_pid in $(pgrep -x 'ferry|zenity'); do
        kill "$tidy_pid"
    done
    for tidy_file in "$work"/card-*.pid; do
        [ ! -f "$tidy_file" ] || stop "$(basename "$tidy_file" .pid)"
    done
    handler yes
    running pcscd && "$probe" absent || { stop_pcscd; start_pcscd; }
}

# Each line that the journeys write is a command of this shell; they get its exit status and what it printed.
serve_journeys() {
    while IFS= read -r asked; do
        eval "$asked" >"$work/answer" 2>&1 </dev/null
        echo "$? $(base64 -w 0 "$work/answer")"
    done <"$work/asks" >"$work/answers"
}

browse() {
    [ -p "$work/asks" ] || mkfifo "$work/asks" "$work/answers"
    rm -f "$work/tally" "$shots"/failed-"${1%.mjs}"-*.png
    FERRY_WORK=$work FERRY_SHOTS=$shots FERRY_MODULES=$modules FERRY_ORIGIN=$origin FERRY_TAP_N=$tap_n FERRY_JOURNEYS=${1%.mjs} \
        FERRY_ROOT=$root FERRY_BUILD=$build \
        node "$root/tests/browser/$1" 3>"$work/asks" 4<"$work/answers" &
    echo $! >"$work/node.pid"
    serve_journeys
    browse_status=0
    wait "$(pid_of node)" || browse_status=$?
    rm -f "$work/node.pid"
    # The journeys number their checks on from ours, and leave their sum.
    if [ -s "$work/tally" ]; then
        read -r tap_n browse_bad <"$work/tally"
        tap_bad=$((tap_bad + browse_bad))
    fi
    [ "$browse_status" = 0 ] && [ -s "$work/tally" ] || fail "$1 comes to its end" "exit code $browse_status"
}
