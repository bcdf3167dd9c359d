#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The count at the end of "./dev test" tells the truth: what crashes, says nothing, stops early or is skipped is a
# failure, however good the rest looks.
set -u
. "$(dirname "$0")/common.sh"

# tally STATUS: reads a program's output, as ctest would log it, and prints "passed failed programs".
tally() {
    {
        printf '1/1 Testing: x\n1/1 Test: x\nCommand: "x"\nOutput:\n--------\n'
        cat
        printf '<end of output>\nTest time = 0.00 sec\n--------\n%s\n"x" end time: now\n' "$1"
    } | awk -v totals=1 -f tests/harness/tally.awk
}

row() {
    same "$1" "$2 1" "$(printf '%b' "$4" | tally "$3")"
}
row 'cmocka, all well' '7 0' 'Test Passed.' '[==========] Running 7 test(s).\n[  PASSED  ] 7 test(s).\n'
row 'cmocka, two groups' '9 0' 'Test Passed.' '[  PASSED  ] 7 test(s).\n[  PASSED  ] 2 test(s).\n'
row 'cmocka, one failed' '6 1' 'Test Failed.' '[  PASSED  ] 6 test(s).\n[  FAILED  ] 1 test(s), listed below:\n'
row 'cmocka, skipped' '6 1' 'Test Passed.' '[  PASSED  ] 6 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n'
row 'cmocka, a leak at the end' '7 1' 'Test Failed.' '[  PASSED  ] 7 test(s).\nLeakSanitizer\n'
row 'crashed' '0 1' 'Test Failed.' '[==========] Running 7 test(s).\n[       OK ] a\n'
row 'says nothing' '0 1' 'Test Passed.' 'hello\n'
row 'no tests in it' '0 1' 'Test Passed.' '[  PASSED  ] 0 test(s).\n'
row 'script, all well' '2 0' 'Test Passed.' 'ok 1 a\nok 2 b\n1..2\n'
row 'script, one failed' '1 1' 'Test Failed.' 'ok 1 a\nnot ok 2 b\n1..2\n'
row 'script, stopped early' '2 1' 'Test Failed.' 'ok 1 a\nok 2 b\n'
row 'script, stopped early and calls it success' '2 1' 'Test Passed.' 'ok 1 a\nok 2 b\n'
row 'script, wrong plan' '1 1' 'Test Passed.' 'ok 1 a\n1..2\n'
row 'vectors, all well' '305 0' 'Test Passed.' 'sum   305   12   0   518   4817\n'
row 'vectors, one failed' '304 1' 'Test Failed.' 'sum   304   12   1   518   4817\n'
row 'not run' '0 1' 'Test Not Run.' ''
tap_end
