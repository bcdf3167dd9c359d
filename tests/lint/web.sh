#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The pages: their types fit, and nothing is in them that their policy refuses or that leaves their origin.
set -u
copy=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.." || exit 1
. tests/harness/tap.sh

ok 'the types of the pages fit' sh -c 'cd "$1" && node node_modules/typescript/bin/tsc --noEmit -p .' - "$copy"
sources=$(find web/src web/index.html web/console.html -type f)
same 'no page writes HTML from text or runs text' '' \
    "$(grep -nE 'innerHTML|outerHTML|dangerouslySet|insertAdjacentHTML|document\.write|\beval\(|new Function' $sources)"
# The loopback agent is the one stranger (agent.ts); a name space of SVG is no address.
same 'no page names another server' '' \
    "$(grep -nE "https?://" $sources | grep -vE 'http://www\.w3\.org/|^web/src/holder/agent\.ts:.*http://(127\.0\.0\.1)')"
same 'every package has one version and a digest' '' \
    "$(jq -r '(.dependencies + .devDependencies) | to_entries[] | select(.value | test("^[0-9.]+$") | not) | .key' web/package.json;
       jq -r '.packages | to_entries[] | select(.key != "" and .value.integrity == null) | .key' web/package-lock.json)"
tap_end
