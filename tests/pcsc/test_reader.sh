#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The private PC/SC daemon works at all: what every other test in this folder stands on.
. "$(dirname "$0")/../harness/private.sh"

ok 'a private pcscd starts and shows the virtual reader' start_pcscd
ok 'the virtual reader has no card yet' "$probe" absent
stop_pcscd
ok 'it leaves when it is told to' await sh -c "! test -e /run/pcscd/pcscd.comm"
tap_end
