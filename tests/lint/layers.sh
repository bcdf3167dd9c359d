#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The layers hold: in each module an include of what it may see compiles, and any other does not. The table is
# written down here again, from ARCHITECTURE.md, so that a loosened CMakeLists.txt is noticed.
set -u
. "$(dirname "$0")/common.sh"

may_see() {
    case $1 in
    base) echo base ;;
    crypto | tlv | apdu) echo "$1 base" ;;
    cap) echo cap base tlv crypto ;;
    gp) echo gp base crypto tlv apdu cap ;;
    script) echo script base tlv apdu ;;
    # plan sees crypto because the headers of gp speak of its types
    plan) echo plan base tlv apdu cap gp crypto ;;
    vault) echo vault base crypto tlv apdu cap gp script ;;
    session) echo session base crypto tlv apdu cap gp script plan vault ;;
    esac
}

includes() {
    printf '#include <%s>\n' "$2" >"$tap_dir/include.c"
    # shellcheck disable=SC2086 # words on purpose
    gcc -std=c17 -D_GNU_SOURCE -fsyntax-only $1 "$tap_dir/include.c"
}

modules=$(find lib -mindepth 2 -name '*.c' ! -name 'test_*' | cut -d/ -f2 | sort -u)
for module in $modules; do
    flags=$(include_flags "$(find "lib/$module" -name '*.c' ! -name 'test_*' | sort | head -n 1)")
    for other in $modules; do
        header=$(cd lib && find "$other" -name '*.h' | sort | head -n 1)
        case " $(may_see "$module") " in
        *" $other "*) ok "$module may include $other" includes "$flags" "$header" ;;
        *) refused "$module cannot include $other" 1 'No such file' includes "$flags" "$header" ;;
        esac
    done
    for system in ferryd ferry ferry-card; do
        absent "$module includes nothing of $system" "#include.*[\"</]$system/" $(c_files "lib/$module")
    done
done

# Programs never see each other.
for program in ferryd ferry ferry-card; do
    [ -d "src/$program" ] || continue
    others=$(printf '%s\n' ferryd ferry ferry-card | grep -vx "$program" | paste -sd'|')
    absent "$program includes no other program" "#include.*[\"</]($others)/" $(c_files "src/$program")
    case $program in
    ferryd) for c in $(find src/ferryd -name '*.c' | head -n 1); do
        absent "$program has no include root of another" "src/($others)( |/|\$)" /dev/stdin <<END
$(include_flags "$c")
END
        done ;;
    esac
done
tap_end
