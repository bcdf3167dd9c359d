#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# cppcheck over what is shipped; results of unchanged files are kept in the build folder.
set -u
. "$(dirname "$0")/common.sh"
roots=$(for root in "$build"/roots/*; do printf -- '-I %s ' "$root"; done)
mkdir -p "$build/cppcheck"
# Left out: includes that it does not see (system headers), and where its own parser gives up on a compound literal.
ok 'cppcheck' cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr \
    --error-exitcode=1 -j "$(nproc)" --cppcheck-build-dir="$build/cppcheck" $roots -D_GNU_SOURCE \
    --include=tests/lint/cppcheck.h \
    --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unmatchedSuppression --suppress=internalAstError \
    $(c_files lib src | grep '\.c$' | grep -vE '/test_[^/]*\.c$')
tap_end
