/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that says which card it has: a card that is set aside is spared, an opening is counted before its
 * answer, and what is said proves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bench.h"

static void open_with_order(struct bench *b, const struct bench_setup *setup)
{
    bench_open(b, setup);
    bench_add_app(b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(b, "order", "install", "hello", "", "");
}

static void a_card_that_is_set_aside_is_spared(void **state)
{
    struct bench b;
    struct bench_setup setup = bench_modern();
    (void)state;
    setup.server_key ^= 1;
    open_with_order(&b, &setup);
    struct bench_result first = bench_run(&b, "order", NULL);
    bench_expect("wrong key", &first, OUTCOME_FAILED, REASON_WRONG_KEY);
    struct bench_client tells = {.card = first.card};
    struct bench_result again = bench_run(&b, "order", &tells);
    bench_expect("set aside", &again, OUTCOME_FAILED, REASON_CARD_BLOCKED);
    assert_int_equal(again.initialize_updates, 0);
    assert_int_equal(again.commands, 0);
    /* Without its word the card has to be asked, which costs it an opening. */
    struct bench_result silent = bench_run(&b, "order", NULL);
    bench_expect("does not tell", &silent, OUTCOME_FAILED, REASON_CARD_BLOCKED);
    assert_int_equal(silent.initialize_updates, 1);
    bench_close(&b);
}

static bool pull_at_once(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu)
{
    (void)ctx, (void)b, (void)post, (void)n, (void)capdu;
    return false;
}

static void an_opening_is_counted_before_its_answer(void **state)
{
    struct bench b;
    struct bench_setup setup = bench_modern();
    char number[CARD_NUMBER_TEXT_MAX + 1];
    (void)state;
    open_with_order(&b, &setup);
    bench_number(&b, number);
    struct bench_client tells = {.card = number, .command = pull_at_once};
    for (unsigned n = 1; n <= 3; n++) {
        struct bench_result r = bench_run(&b, "order", &tells);
        bench_expect("pulled", &r, OUTCOME_FAILED, REASON_CARD_PULLED);
        assert_int_equal(bench_ledger(&b, number, 0x30).openings, n);
    }
    struct bench_result r = bench_run(&b, "order", &tells);
    bench_expect("too many", &r, OUTCOME_FAILED, REASON_CARD_BLOCKED);
    assert_int_equal(r.initialize_updates, 0);
    bench_close(&b);
}

static void what_is_said_proves_nothing(void **state)
{
    struct bench b;
    struct bench_setup setup = bench_modern();
    char number[CARD_NUMBER_TEXT_MAX + 1];
    (void)state;
    open_with_order(&b, &setup);
    bench_number(&b, number);
    /* Another card than the one that answers. */
    struct bench_client lies = {.card = "999999-000000000000000000FF"};
    struct bench_result r = bench_run(&b, "order", &lies);
    bench_expect("another than answers", &r, OUTCOME_FAILED, REASON_WRONG_CARD);
    /* Another card than the order's. */
    bench_add_order(&b, "named", "install", "hello", number, "");
    r = bench_run(&b, "named", &lies);
    bench_expect("another than ordered", &r, OUTCOME_FAILED, REASON_WRONG_CARD);
    assert_int_equal(r.initialize_updates, 0);
    /* And the truth goes through, in three POSTs. */
    struct bench_client tells = {.card = number};
    r = bench_run(&b, "named", &tells);
    bench_expect("the truth", &r, OUTCOME_CONFIRMED, REASON_NONE);
    assert_int_equal(r.posts, 3);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_that_is_set_aside_is_spared),
        cmocka_unit_test(an_opening_is_counted_before_its_answer),
        cmocka_unit_test(what_is_said_proves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
