#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# shellcheck over every script; packages that scripts need are in the one list of ./dev.
set -u
. "$(dirname "$0")/common.sh"
for script in dev .ci/run $(find tests fuzz packaging web -path '*/node_modules' -prune -o -name '*.sh' -print 2>/dev/null | sort); do
    # SC1091: sourced files are checked by themselves. SC2086, SC2046: lists of words are split on purpose.
    # SC2012: file names are our own. SC2015: "a && b || c" where b cannot fail.
    ok "shellcheck $script" shellcheck -e SC1091,SC2086,SC2046,SC2012,SC2015,SC2010 "$script"
done
tap_end
