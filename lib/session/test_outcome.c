/* SPDX-License-Identifier: Apache-2.0
 *
 * The words are a wire format and the exit codes an interface: both are pinned here. */
#include <session/outcome.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum outcome outcome;
    enum reason reason;
    int code;
} codes[] = {
    {OUTCOME_CONFIRMED, REASON_NONE, 0},
    {OUTCOME_CONFIRMED, REASON_ALREADY_THERE, 0},
    {OUTCOME_REPORTED, REASON_NONE, 3},
    {OUTCOME_REPORTED, REASON_ALREADY_THERE, 3},
    {OUTCOME_FAILED, REASON_NONE, 4},
    {OUTCOME_FAILED, REASON_REFUSED, 4},
    {OUTCOME_FAILED, REASON_DOWNGRADE, 4},
    {OUTCOME_UNKNOWN, REASON_NONE, 5},
    {OUTCOME_UNKNOWN, REASON_FORGED_ANSWER, 5},
    {OUTCOME_FAILED, REASON_WRONG_KEY, 7},
    {OUTCOME_FAILED, REASON_UNKNOWN_CARD, 8},
    {OUTCOME_FAILED, REASON_WRONG_TICKET, 9},
    {OUTCOME_FAILED, REASON_EXPIRED_TICKET, 10},
    {OUTCOME_FAILED, REASON_TICKET_USED, 10},
    {OUTCOME_FAILED, REASON_CARD_PULLED, 11},
    {OUTCOME_UNKNOWN, REASON_CARD_PULLED, 11},
    {OUTCOME_FAILED, REASON_SERVER_BUSY, 12},
    {OUTCOME_FAILED, REASON_SERVER_FULL, 13},
    {OUTCOME_FAILED, REASON_BAD_CAP, 14},
    {OUTCOME_FAILED, REASON_MISSING_DEPENDENCY, 15},
    {OUTCOME_FAILED, REASON_NOT_ENOUGH_MEMORY, 16},
    {OUTCOME_FAILED, REASON_CARD_BLOCKED, 17},
    {OUTCOME_FAILED, REASON_NOT_ALLOWED, 18},
    {OUTCOME_FAILED, REASON_NOT_APPROVED, 18},
    {OUTCOME_COUNT, REASON_NONE, 1},
};

static void exit_codes(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(codes) / sizeof(codes[0]); n++) {
        int got = outcome_exit_code(codes[n].outcome, codes[n].reason);
        if (got != codes[n].code)
            fail_msg("row %zu (%s, %s): %d instead of %d", n, outcome_word(codes[n].outcome),
                     reason_word(codes[n].reason), got, codes[n].code);
    }
}

static void words_go_both_ways(void **state)
{
    (void)state;
    for (size_t n = 0; n < OUTCOME_COUNT; n++) {
        enum outcome o = OUTCOME_COUNT;
        assert_int_equal(outcome_by_word(outcome_word((enum outcome)n), &o), OK);
        assert_int_equal(o, n);
    }
    for (size_t n = 0; n < REASON_COUNT; n++) {
        enum reason r = REASON_COUNT;
        assert_int_equal(reason_by_word(reason_word((enum reason)n), &r), OK);
        assert_int_equal(r, n);
    }
    enum outcome o;
    enum reason r;
    assert_int_equal(outcome_by_word("fine", &o), ERR_NOT_FOUND);
    assert_int_equal(reason_by_word("", &r), ERR_NOT_FOUND);
}

static void each_reason_says_what_to_do(void **state)
{
    (void)state;
    for (size_t n = 0; n < REASON_COUNT; n++) {
        const char *text = reason_text((enum reason)n), *advice = reason_advice((enum reason)n);
        assert_true(strlen(text) > 3 && text[strlen(text) - 1] == '.');
        assert_true(strlen(advice) > 3 && advice[strlen(advice) - 1] == '.');
        int status = reason_http_status((enum reason)n);
        assert_true(status == 204 || (status >= 400 && status < 600));
    }
    assert_string_equal(reason_text(REASON_COUNT), "");
    assert_int_equal(reason_http_status(REASON_WRONG_TICKET), 403);
    assert_int_equal(reason_http_status(REASON_EXPIRED_TICKET), 410);
    assert_int_equal(reason_http_status(REASON_CARD_BLOCKED), 423);
    assert_int_equal(reason_http_status(REASON_SERVER_FULL), 507);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(words_go_both_ways),
        cmocka_unit_test(each_reason_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
