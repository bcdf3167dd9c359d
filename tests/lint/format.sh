#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every C file is as .clang-format wants it.
set -u
. "$(dirname "$0")/common.sh"
for file in $(c_files lib src fuzz bench tests); do
    ok "format $file" clang-format-14 --dry-run -Werror "$file"
done
tap_end
