# SPDX-License-Identifier: Apache-2.0
#
# Counts checks, not programs, in ctest's LastTest.log: cmocka's own totals, the sum of the vector runner
# (checked, partly, failed, ...), and the "ok" lines of scripts, whose last line must be the plan "1..N". A program that fails without saying which check, or that ends
# without totals, is one failure; a skipped check is a failure too. Prints what failed, or, with
# -v totals=1, "PASSED FAILED PROGRAMS".

/^[0-9]+\/[0-9]+ Testing: / { begin(substr($0, index($0, ": ") + 2)) }
/^Output:$/ && name != "" && !inside { inside = 1; lines = 0; next }
/^<end of output>$/ { inside = 0 }
inside { text[++lines] = $0; count($0) }
/^Test (Passed|Failed|Not Run)/ && !inside { finish($0 ~ /^Test Passed/) }
END { if (name != "") finish(0); if (totals) print all_ok + 0, all_bad + 0, programs + 0 }

function begin(test) {
    if (name != "") finish(0)
    name = test
    ok = bad = whole = inside = lines = seen = 0
}

function count(line) {
    sub(/\r$/, "", line)
    if (line ~ /^\[  PASSED  \] [0-9]+ test\(s\)\./) { ok += number(line); whole = 1 }
    else if (line ~ /^\[  (FAILED |SKIPPED) \] [0-9]+ test\(s\)/) bad += number(line)
    else if (line ~ /^ok [0-9]/) { ok++; seen++ }
    else if (line ~ /^not ok [0-9]/) { bad++; seen++ }
    else if (line ~ /^sum( +[0-9]+)+$/) { split(line, n); ok += n[2]; bad += n[4]; whole = 1 }
    else if (line ~ /^1\.\.[0-9]+$/) whole = (substr(line, 4) + 0 == seen && seen > 0)
}

function number(line) {
    match(line, /\] [0-9]+/)
    return substr(line, RSTART + 2, RLENGTH - 2) + 0
}

function finish(good, i) {
    if (bad == 0 && (!good || !whole || ok == 0)) bad = 1
    programs++
    all_ok += ok
    all_bad += bad
    if (bad && !totals) {
        printf "---- %s: %d passed, %d failed%s\n", name, ok, bad, whole ? "" : " (it did not reach its end)"
        for (i = lines > 300 ? lines - 299 : 2; i <= lines; i++)
            if (text[i] !~ /^(ok [0-9]|\[ RUN |\[       OK )/) print "  " text[i]
    }
    name = ""
}
