#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The desk that the other tests in this folder stand on: Chromium trusts the server's authority and no other, a link
# starts what the desktop names for it, loopback needs a permission, a certificate is shown where a policy says so.
. "$(dirname "$0")/browser.sh"

# In the client's place: writes down what it was started with.
note_links() {
    mkdir -p "$work/bin" && cat >"$work/bin/ferry" <<END && chmod +x "$work/bin/ferry"
#!/bin/sh
printf '%s\n' "\$@" >>"$work/handled"
END
    PATH=$work/bin:$PATH
}

# A server that nobody's authority vouches for.
strange_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/strange.key" \
        -out "$work/strange.pem" -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 2
}

must 'a server is set up' settings 'log_level = info'
must 'the desk' start_desk
must 'an operator has a certificate' operator_certificate
must 'certificates of other sites' certificate foreign /CN=foreign.test subjectAltName=DNS:foreign.test
must 'and of one that nobody knows' strange_certificate
note_links
browse desk.mjs
tap_end
