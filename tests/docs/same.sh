#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# same.sh PROGRAM FILE: FILE is what PROGRAM prints.
. "$(dirname "$0")/../harness/tap.sh"
printed() { "$1" | diff -u "$2" - || { echo "run: $1 >$2" && return 1; }; }

ok "$(basename "$2") is what the table gives" printed "$1" "$2"
tap_end
