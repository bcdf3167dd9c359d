/* SPDX-License-Identifier: Apache-2.0
 *
 * Every method of the table, at every level and with every size of keys: a delivery from the ticket to the
 * end. And rule 6 for every pair of methods: what a card once was proven to speak, it speaks from then on. */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t hello_app[] = {0xF0, 0x00, 0x00, 0x00, 0x01, 0x01};

static char base[200];

static int make_base(void **state)
{
    (void)state;
    bench_base_make(base);
    return 0;
}

static int remove_base(void **state)
{
    (void)state;
    bench_base_remove(base);
    return 0;
}

static void open_for(struct bench *b, const struct bench_setup *setup)
{
    char card[CARD_NUMBER_TEXT_MAX + 1];
    bench_open(b, setup);
    bench_add_app(b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(b, "install", "install", "hello", "", "");
    bench_read_number(b, card);
    if (setup->key_fields != NULL)
        bench_add_peer(b, setup, card);
}

static void deliver(const struct bench_choice *c)
{
    struct bench b;
    struct bench_text *text = malloc(sizeof(*text));
    assert_non_null(text);
    const struct bench_setup setup = bench_for(c, base, text);
    open_for(&b, &setup);
    struct bench_result r = bench_run(&b, "install", NULL);
    bool shown = (c->level & LEVEL_R_MAC) != 0;
    bench_expect(c->name, &r, shown ? OUTCOME_CONFIRMED : OUTCOME_REPORTED, REASON_NONE);
    if (r.posts != 3 || r.external_authentications != (c->method->authenticates ? 1 : 0))
        fail_msg("%s: %u POSTs, %zu EXTERNAL AUTHENTICATE", c->name, r.posts, r.external_authentications);
    if (!vcard_has_application(b.card, VIEW_OF(hello_app)))
        fail_msg("%s: it is not on the card", c->name);
    r = bench_run(&b, "install", NULL);
    bench_expect(c->name, &r, shown ? OUTCOME_CONFIRMED : OUTCOME_REPORTED, REASON_ALREADY_THERE);
    bench_close(&b);
    free(text);
}

static void every_method_delivers(void **state)
{
    struct bench_choice c;
    size_t n = 0;
    (void)state;
    for (; bench_choice(n, true, &c); n++)
        deliver(&c);
    print_message("%zu choices\n", n);
    assert_true(n >= 40);
}

/* ---- Rule 6 ------------------------------------------------------------------------------------------ */

/* The first choice of a row: its weakest level. */
static bool choice_of_row(size_t row, struct bench_choice *out)
{
    size_t rows;
    const struct channel_method *m = channel_methods(&rows);
    for (size_t n = 0; row < rows && bench_choice(n, false, out); n++) {
        if (out->method == m + row)
            return true;
    }
    return false;
}

struct other {
    struct bench_choice choice;
    struct bench_text text;
    struct bench_setup setup;
};

/* Whoever keeps the types, or a client that forges what the card tells, would have another method now. */
static void expect_no_downgrade(struct bench *b, const struct bench_choice *before,
                                const struct bench_setup *setup, const struct other *now)
{
    char row[200];
    struct card_row card;
    (void)snprintf(row, sizeof(row), "%s, then %s", before->name, now->choice.name);
    bench_put_type(b, &now->setup);
    struct bench_result r = bench_run(b, "install", NULL);
    bench_expect(row, &r, OUTCOME_FAILED, REASON_DOWNGRADE);
    if (r.external_authentications != 0 || r.loads != 0)
        fail_msg("%s: something left the server", row);
    assert_true(bench_card_row(b, r.card, &card));
    if (card.pinned_scp != before->method->scp || card.pinned_i != before->method->i)
        fail_msg("%s: the card's pins changed", row);
    card_row_free(&card);
    bench_put_type(b, setup);
}

/* The type holds to the method; only the card, or a client in its place, answers as another protocol. */
static void expect_no_other_answer(struct bench *b, const struct bench_choice *before,
                                   const struct other *now)
{
    bench_change_card(b, &now->setup.card);
    struct bench_result r = bench_run(b, "install", NULL);
    if (r.outcome != OUTCOME_FAILED || r.external_authentications != 0 || r.loads != 0)
        fail_msg("%s, but the card is %s: %s (%s)", before->name, now->choice.name, outcome_word(r.outcome),
                 r.detail);
    bench_release(b, r.card);
}

static void pairs_with(const struct bench_choice *before, struct other *others, size_t count)
{
    struct bench b;
    struct bench_text *text = malloc(sizeof(*text));
    assert_non_null(text);
    const struct bench_setup setup = bench_for(before, base, text);
    open_for(&b, &setup);
    struct bench_result r = bench_run(&b, "install", NULL);
    assert_true(r.outcome == OUTCOME_CONFIRMED || r.outcome == OUTCOME_REPORTED);
    for (size_t n = 0; n < count; n++) {
        if (others[n].choice.method == before->method)
            continue;
        if (others[n].setup.key_fields != NULL)
            bench_add_host_pairs(&b, &others[n].setup);
        expect_no_downgrade(&b, before, &setup, &others[n]);
    }
    for (size_t n = 0; n < count; n++) {
        bool first_of_protocol = n == 0 || others[n - 1].choice.method->scp != others[n].choice.method->scp;
        if (first_of_protocol && others[n].choice.method->scp != before->method->scp)
            expect_no_other_answer(&b, before, &others[n]);
    }
    bench_close(&b);
    free(text);
}

/* A card of the method makes them, where they are not there yet. */
static void make_host_keys(const struct bench_setup *setup)
{
    struct crypto *crypto = NULL;
    struct vcard *card = NULL;
    assert_int_equal(crypto_new(&crypto), OK);
    assert_int_equal(vcard_new(&card, crypto, &setup->card), OK);
    vcard_free(&card);
    crypto_free(&crypto);
}

static void no_card_is_spoken_to_otherwise_than_before(void **state)
{
    size_t count = 0;
    struct bench_choice c;
    (void)state;
    while (choice_of_row(count, &c))
        count++;
    struct other *others = calloc(count, sizeof(*others));
    assert_non_null(others);
    for (size_t n = 0; n < count; n++) {
        assert_true(choice_of_row(n, &others[n].choice));
        others[n].setup = bench_for(&others[n].choice, base, &others[n].text);
        make_host_keys(&others[n].setup);
    }
    for (size_t n = 0; n < count; n++)
        pairs_with(&others[n].choice, others, count);
    print_message("%zu methods, %zu pairs\n", count, count * (count - 1));
    free(others);
}

/* ---- Policy ------------------------------------------------------------------------------------------ */

/* A server whose policy allows nothing weak speaks to no card that needs it, even when the card type was
 * stored before. */
static void nothing_weak_without_a_policy(void **state)
{
    struct bench_choice c;
    size_t refused = 0, served = 0;
    (void)state;
    for (size_t row = 0; choice_of_row(row, &c); row++) {
        struct bench b;
        struct bench_text *text = malloc(sizeof(*text));
        assert_non_null(text);
        const struct bench_setup setup = bench_for(&c, base, text);
        open_for(&b, &setup);
        b.forbid_weak = true;
        struct bench_result r = bench_run(&b, "install", NULL);
        bool weak = weak_of_method(c.method) != 0;
        if (weak && (r.reason != REASON_POLICY || r.initialize_updates != 0))
            fail_msg("%s: %s (%s)", c.name, outcome_word(r.outcome), r.detail);
        if (!weak && r.outcome != OUTCOME_CONFIRMED && r.outcome != OUTCOME_REPORTED)
            fail_msg("%s: %s (%s)", c.name, outcome_word(r.outcome), r.detail);
        refused += weak;
        served += !weak;
        bench_close(&b);
        free(text);
    }
    assert_true(refused > 0 && served > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_delivers),
        cmocka_unit_test(no_card_is_spoken_to_otherwise_than_before),
        cmocka_unit_test(nothing_weak_without_a_policy),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
