#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# valgrind.sh PROGRAM: one check, that valgrind finds neither a wrong access nor a leak in the program.
set -u
. "$(dirname "$0")/tap.sh"
ok "${1##*/}" valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
    --errors-for-leak-kinds=definite,indirect "$1"
tap_end
