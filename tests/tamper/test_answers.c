/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that lies about the outcome. Confirmed is what cryptography shows: whatever is forged, no session
 * ends as confirmed while the card does not hold what was ordered. */
#include "attack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t hello_app[] = {0xF0, 0x00, 0x00, 0x00, 0x01, 0x01};

static void open_scene(struct bench *b, const struct bench_setup *setup)
{
    bench_open(b, setup);
    bench_add_app(b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(b, "install", "install", "hello", "", "");
}

/* ---- Answers that the card never gave ---------------------------------------------------------------- */

static void no_forged_answer_is_confirmed(void **state)
{
    struct bench_setup setups[] = {bench_modern(), bench_modern(), bench_modern(), bench_classic()};
    setups[1].level = "11";
    setups[2].level = "03";
    (void)state;
    for (size_t s = 0; s < sizeof(setups) / sizeof(setups[0]); s++) {
        for (int kind = 0; kind < LIES; kind++) {
            struct bench b;
            struct liar l = {.lie = kind, .recording = true};
            const struct bench_client client = liar_client(&l);
            open_scene(&b, &setups[s]);
            (void)bench_run(&b, "install", &client);
            l.recording = false;
            setups[s].card.serial++; /* another card, which never sees a packet */
            bench_change_card(&b, &setups[s].card);
            struct bench_result r = bench_run(&b, "install", &client);
            assert_false(vcard_has_application(b.card, VIEW_OF(hello_app)));
            if (r.outcome == OUTCOME_CONFIRMED)
                fail_msg("setup %zu, lie %d: confirmed", s, kind);
            bool has_response_macs = s < 2;
            if (has_response_macs && r.outcome != OUTCOME_UNKNOWN)
                fail_msg("setup %zu, lie %d: %s, %s", s, kind, outcome_word(r.outcome), r.detail);
            liar_finish(&l);
            bench_close(&b);
        }
    }
}

/* ---- True answers, changed --------------------------------------------------------------------------- */

/* Every byte of every answer to the packet. */
static void no_changed_answer_is_taken(void **state)
{
    struct bench b;
    char number[CARD_NUMBER_TEXT_MAX + 1];
    struct bench_setup setup = bench_modern();
    struct card_row empty; /* what the server knows of the card as it was made */
    size_t flips = 0;
    (void)state;
    open_scene(&b, &setup);
    bench_number(&b, number);
    assert_true(bench_card_row(&b, number, &empty));
    for (size_t command = 0;; command++) {
        bool any = false;
        for (size_t byte = 0;; byte++) {
            struct flipper f = {.post = POST_DELIVER, .command = command, .byte = byte, .mask = 0x01};
            const struct bench_client client = flipper_client(&f);
            bench_change_card(&b, &setup.card);
            bench_release(&b, number);
            bench_set_registry(&b, number, blob_view(&empty.registry));
            struct bench_result r = bench_run(&b, "install", &client);
            if (!f.done)
                break;
            any = true;
            flips++;
            bool honest = vcard_has_application(b.card, VIEW_OF(hello_app));
            if (r.outcome == OUTCOME_CONFIRMED && !honest)
                fail_msg("answer %zu, byte %zu: confirmed", command, byte);
        }
        if (!any)
            break;
    }
    if (flips < 100)
        fail_msg("only %zu bytes were changed", flips);
    card_row_free(&empty);
    bench_close(&b);
}

struct cut {
    size_t at;
    bool done;
};

static bool cut_at(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu)
{
    struct cut *c = ctx;
    (void)b, (void)capdu;
    c->done = c->done || (post == POST_DELIVER && n == c->at);
    return !c->done;
}

/* Everything was done and is proven, but for which card it was: that has to be shown too. */
static void without_the_cards_number_nothing_is_confirmed(void **state)
{
    /* EXTERNAL AUTHENTICATE, INSTALL, two LOADs, INSTALL; then the number, then the listing. */
    static const struct {
        size_t at;
        enum outcome outcome;
    } rows[] = {{5, OUTCOME_REPORTED}, {6, OUTCOME_REPORTED}, {7, OUTCOME_CONFIRMED}, {8, OUTCOME_CONFIRMED}};
    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct bench b;
        struct cut cut = {.at = rows[n].at};
        const struct bench_setup setup = bench_modern();
        const struct bench_client client = {.ctx = &cut, .command = cut_at};
        open_scene(&b, &setup);
        struct bench_result r = bench_run(&b, "install", &client);
        if (r.outcome != rows[n].outcome)
            fail_msg("cut before command %zu: %s, %s", rows[n].at, outcome_word(r.outcome), r.detail);
        bench_close(&b);
    }
}

/* ---- Another card than the one that was ordered ------------------------------------------------------ */

struct impostor {
    struct writer objects[8];
    size_t count;
    bool recording;
};

static void pretend(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu,
                    struct writer *rapdu)
{
    struct impostor *i = ctx;
    (void)b;
    if (post != 0 || capdu.len < 2 || capdu.data[1] != INS_GET_DATA || n >= 8)
        return;
    if (i->recording) {
        wr_heap(&i->objects[n], RAPDU_MAX);
        wr_view(&i->objects[n], wr_view_of(rapdu));
    } else {
        wr_clear(rapdu);
        wr_view(rapdu, wr_view_of(&i->objects[n]));
    }
}

/* All cards of a type may have one key. A client that tells another card's number gets the delivery onto its
 * own card, but nobody is told that the other card has it. */
static void a_card_cannot_stand_in_for_another(void **state)
{
    struct bench b;
    char number[CARD_NUMBER_TEXT_MAX + 1];
    struct impostor i = {.recording = true};
    const struct bench_client client = {.ctx = &i, .answer = pretend};
    struct bench_setup setup = bench_modern();
    (void)state;
    open_scene(&b, &setup);
    struct bench_result r = bench_run(&b, "inspect", &client);
    memcpy(number, r.card, sizeof(number));
    bench_add_order(&b, "named", "install", "hello", number, "");
    i.recording = false;
    setup.card.serial++;
    bench_change_card(&b, &setup.card);
    r = bench_run(&b, "named", &client);
    bench_expect("stand-in", &r, OUTCOME_FAILED, REASON_WRONG_CARD);
    for (size_t n = 0; n < 8; n++)
        wr_free(&i.objects[n]);
    bench_close(&b);
}

/* ---- Malformed bodies -------------------------------------------------------------------------------- */

static void spoil(void *ctx, struct bench *b, unsigned post, struct writer *body)
{
    const struct flipper *f = ctx;
    (void)b;
    if (post == f->post && f->byte < body->len)
        body->data[f->byte] ^= 0xFF;
}

static void a_malformed_body_has_no_effect(void **state)
{
    struct bench b;
    struct bench_setup setup = bench_modern();
    (void)state;
    open_scene(&b, &setup);
    for (unsigned post = 0; post < 2; post++) {
        struct flipper f = {.post = post}; /* the tag */
        const struct bench_client client = {.ctx = &f, .body = spoil};
        struct bench_result r = bench_run(&b, "install", &client);
        bench_expect("malformed", &r, OUTCOME_UNKNOWN, REASON_BAD_ANSWER);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_forged_answer_is_confirmed),
        cmocka_unit_test(no_changed_answer_is_taken),
        cmocka_unit_test(without_the_cards_number_nothing_is_confirmed),
        cmocka_unit_test(a_card_cannot_stand_in_for_another),
        cmocka_unit_test(a_malformed_body_has_no_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
