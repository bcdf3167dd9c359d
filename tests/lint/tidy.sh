#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# clang-tidy (.clang-tidy) over what is shipped, one check per file, all cores. A file whose preprocessed text,
# command and settings are those of an earlier pass is not looked at again: its stamp is in the build folder.
set -u
. "$(dirname "$0")/common.sh"
mkdir -p "$build/tidy"

cat >"$tap_dir/one" <<'END'
file=$1 build=$2 dir=$3
command=$(jq -r --arg file "$PWD/$file" '[.[] | select(.file == $file)][0].command // empty' \
    "$build/compile_commands.json")
[ -n "$command" ] || exit 0 # not built here
key=$({
    cat .clang-tidy
    echo "$command"
    cd "$build" && eval "${command%% -o *} -E '${command##* }'" || cat "${command##* }"
} 2>/dev/null | sha256sum | cut -d' ' -f1)
stamp=$build/tidy/$key
out=$dir/$(echo "$file" | tr / _)
if [ -e "$stamp" ]; then
    echo "good $file" >"$out.result"
elif clang-tidy-14 --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option --warnings-as-errors='*' "$file" >"$out.text" 2>&1; then
    : >"$stamp"
    echo "good $file" >"$out.result"
else
    echo "bad $file $out.text" >"$out.result"
fi
END
c_files lib src | grep '\.c$' | grep -vE '/test_[^/]*\.c$' |
    xargs -P "$(nproc)" -I{} sh "$tap_dir/one" {} "$build" "$tap_dir"
for result in "$tap_dir"/*.result; do
    read -r verdict file text <"$result"
    if [ "$verdict" = good ]; then
        pass "clang-tidy $file"
    else
        fail "clang-tidy $file"
        grep -E 'warning:|error:' "$text" | sed 's/^/#   /'
    fi
done
tap_end
