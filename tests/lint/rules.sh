#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Rules of the house that a search can hold: licence lines, where OpenSSL may be seen, how bytes are compared,
# calls that do not belong in C written today.
set -u
. "$(dirname "$0")/common.sh"

for file in $(find . -path ./build -prune -o -path ./.git -prune -o -type f \
    \( -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' -o -name '*.cmake' -o -name CMakeLists.txt -o -name '*.sql' \
    -o -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.[158]' -o -name '*.service' -o -path ./dev \
    -o -name '*.mjs' -o -name '*.ts' -o -name '*.tsx' -o -path ./.ci/run \) -print | sort); do
    ok "$file names its licence" sh -c 'head -n 6 "$1" | grep -q "SPDX-License-Identifier: Apache-2.0"' - "$file"
done

# OpenSSL is seen in lib/crypto. TLS itself is the business of the two ends of the wire, and benchmarks measure
# against the bare library.
openssl=$(grep -rlE '#include *<openssl/' lib src fuzz tests --include='*.[ch]' | grep -v '^lib/crypto/' |
    grep -vxF -f tests/lint/openssl.allow)
same 'OpenSSL is included only where it is allowed' '' "$(echo $openssl)"

# memcmp is not constant-time: what it may compare is listed, with the reason.
counts=$(grep -rcE '\bmemcmp *\(' lib src --include='*.[ch]' | grep -vE '/test_[^/]*\.c:|:0$' | sort)
allowed=$(grep -vE '^(#|$)' tests/lint/memcmp.allow | awk '{ print $1 }' | sort)
same 'memcmp is used only where it is allowed' "$(echo $allowed)" "$(echo $counts)"

sources=$(c_files lib src | grep -vE '/test_[^/]*\.[ch]$')
absent 'no unbounded or shell calls' '\b(strcpy|strcat|sprintf|vsprintf|gets|system|popen|strtok|alloca|tmpnam|mktemp) *\(' $sources
absent 'no low-level ciphers (they are slow and deprecated)' '\b(AES_(set_)?(en|de)crypt|AES_cbc_encrypt|DES_[a-z_]+) *\(' $sources
absent 'nothing is left for later' '\b(TODO|FIXME|XXX)\b' $sources
absent 'no test is skipped' '\bskip *\(' $(c_files lib src tests | grep -E '/test_[^/]*\.c$')
tap_end
