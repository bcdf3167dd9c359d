#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every script passes through shellcheck.
set -u
. "$(dirname "$0")/common.sh"
for script in dev .ci/run $(find tests fuzz bench -name '*.sh' | sort); do
    # SC1091, SC2154: what a sourced file sets; it is checked by itself. SC2086, SC2046: lists of words are split
    # on purpose. SC2034: read by the file that sources it.
    ok "shellcheck $script" shellcheck -S warning -e SC1091,SC2154,SC2086,SC2046,SC2034 "$script"
done
tap_end
