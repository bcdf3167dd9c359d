#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# same.sh PROGRAM FILE: FILE is what PROGRAM prints.
set -eu
if "$1" | diff -u "$2" -; then
    echo "ok - $2 is what the table gives"
else
    echo "not ok - run: $1 >$2"
    exit 1
fi
