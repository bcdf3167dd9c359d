/* SPDX-License-Identifier: Apache-2.0
 *
 * The tamper sweep: every method of the table, at every level and with every size of keys, in the hands of a
 * client that changes packets and forges answers. Each choice gets a share of the bytes, one bit of each, so
 * that the choices of a protocol have all bytes of a short packet among them; of long ones a sample. */
#include "attack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FLIPS_MAX = 60, FLIPS_OF_LONG = 8, LONG_PACKET = 1500, OPENING_FLIPS = 4, ANSWER_FLIPS = 8 };

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

/* A choice, and which of those of its protocol. */
struct sweep {
    struct scene w;
    struct bench_choice choice;
    struct bench_text text;
    size_t ordinal, of;
    size_t sessions;
};

static const char *row_of(const struct sweep *s)
{
    return s->choice.name;
}

static bool shows(const struct sweep *s)
{
    return (s->choice.level & LEVEL_R_MAC) != 0;
}

/* A session with key pairs takes ten times as long as others: of all attacks that do not depend on a byte's
 * place it gets a part, and its protocol's choices have all of them among them. */
static bool is_slow(const struct sweep *s)
{
    return key_type_is_pair(s->choice.method->key_type);
}

static bool same_protocol(const struct bench_choice *a, const struct bench_choice *b)
{
    return a->method->scp == b->method->scp;
}

static void find_place(struct sweep *s, size_t number)
{
    struct bench_choice c;
    for (size_t n = 0; bench_choice(n, true, &c); n++) {
        s->of += same_protocol(&c, &s->choice);
        s->ordinal += n < number && same_protocol(&c, &s->choice);
    }
}

static void for_every_choice(void (*test)(struct sweep *s))
{
    struct bench_choice c;
    size_t n = 0, sessions = 0;
    for (; bench_choice(n, true, &c); n++) {
        struct sweep *s = calloc(1, sizeof(*s));
        assert_non_null(s);
        s->choice = c;
        find_place(s, n);
        const struct bench_setup setup = bench_for(&c, base, &s->text);
        scene_open(&s->w, &setup);
        test(s);
        sessions += s->sessions;
        scene_close(&s->w);
        free(s);
    }
    print_message("%zu choices, %zu sessions\n", n, sessions);
    assert_true(n >= 40);
}

/* ---- Changed packets --------------------------------------------------------------------------------- */

static size_t stride(const struct sweep *s, size_t bytes)
{
    size_t most = bytes > LONG_PACKET ? FLIPS_OF_LONG : FLIPS_MAX;
    return s->of * most >= bytes ? s->of : (bytes + most - 1) / most;
}

static struct attack flip_of(unsigned post, size_t byte, size_t ordinal)
{
    struct attack a = attack_none;
    a.post = post;
    a.flip = byte;
    a.mask = (uint8_t)(1U << ((byte + ordinal) % 8));
    return a;
}

static void flip_the_delivery(struct sweep *s, size_t bytes)
{
    const size_t step = stride(s, bytes);
    for (size_t n = s->ordinal % step, k = 0; n < bytes; n += step, k++) {
        struct attack a = flip_of(POST_DELIVER, n, s->ordinal);
        scene_fresh(&s->w);
        struct bench_result r = attack_run(&s->w.b, &a, k % 2 == 1);
        attack_expect_flip(row_of(s), &s->w, &a, &r);
        s->sessions++;
    }
    scene_usable(&s->w, row_of(s));
}

/* What comes before is not signed: a change there may do nothing, or ends the session. It never lets the card
 * do what was not ordered, or the server say what is not so. */
static void flip_the_opening(struct sweep *s)
{
    struct attack a = attack_none;
    a.post = POST_OPEN;
    scene_fresh(&s->w);
    (void)attack_run(&s->w.b, &a, false);
    const size_t step = a.bytes / (OPENING_FLIPS / (is_slow(s) ? 2U : 1U)) + 1;
    for (size_t n = s->ordinal * 7 % step; n < a.bytes; n += step) {
        struct attack one = flip_of(POST_OPEN, n, s->ordinal);
        scene_fresh(&s->w);
        struct bench_result r = attack_run(&s->w.b, &one, false);
        bool done = r.outcome == OUTCOME_CONFIRMED || r.outcome == OUTCOME_REPORTED;
        if (done != attack_has_application(&s->w.b))
            fail_msg("%s, byte %zu of the opening was changed: %s (%s)", row_of(s), n,
                     outcome_word(r.outcome), r.detail);
        s->sessions++;
    }
    scene_usable(&s->w, row_of(s));
}

static void change_packets(struct sweep *s)
{
    struct attack a = attack_none;
    scene_fresh(&s->w);
    (void)attack_run(&s->w.b, &a, false);
    flip_the_delivery(s, a.bytes);
    flip_the_opening(s);
    for (unsigned kind = 0; kind < ATTACK_KINDS; kind++) {
        if (is_slow(s) && s->ordinal % ATTACK_KINDS != kind)
            continue;
        size_t n = is_slow(s) ? s->ordinal / ATTACK_KINDS : s->ordinal + kind;
        attack_order(row_of(s), &s->w, kind, n % (a.commands - 1), s->ordinal % 2 == 1);
        s->sessions++;
    }
}

static void no_changed_packet_takes_effect(void **state)
{
    (void)state;
    for_every_choice(change_packets);
}

/* ---- Packets that are played again ------------------------------------------------------------------- */

/* docs/scp11.md: with a static key of the card there is nothing in it that changes. */
static bool works_again(const struct channel_method *m)
{
    return m->scp == SCP11 && strcmp(m->name, "SCP11c") == 0;
}

/* docs/threat-model.md: on two cards with the same keys, a challenge that is a function of keys and counter
 * (GPCS 2.3.1 E.4.2.3, Amendment D 6.2.2.1) is the same when the counters are; and without a challenge there
 * is nothing else (GPCS 2.3.1 E.1.2.2). */
static bool works_on_a_twin(const struct channel_method *m)
{
    return works_again(m) || (m->scp == SCP03 && (m->i & 0x10) != 0) ||
           (m->scp == SCP02 && ((m->i & 0x40) != 0 || !m->authenticates));
}

/* The whole of what was sent, from the opening on. */
static size_t play_all(struct bench *b, const struct recorder *r)
{
    vcard_reset(b->card);
    (void)packet_play(b->card, wr_view_of(&r->opening), 0);
    return packet_play(b->card, wr_view_of(&r->packet), 0);
}

static void expect_played(const struct sweep *s, const char *where, size_t accepted, bool works)
{
    if ((accepted > 0) != works)
        fail_msg("%s, played again %s: %zu commands were accepted", row_of(s), where, accepted);
}

static void play_on_other_cards(struct sweep *s, const struct recorder *r)
{
    const struct channel_method *m = s->choice.method;
    struct vcard_options other = s->w.setup.card;
    if (m->scp == SCP_SIGNED && s->choice.level != m->levels[0])
        return; /* making its RSA key takes a second */
    other.serial++;
    bench_change_card(&s->w.b, &other);
    expect_played(s, "on another card", play_all(&s->w.b, r), works_on_a_twin(m));
    if (!works_on_a_twin(m) && attack_has_application(&s->w.b))
        fail_msg("%s: another card has the application", row_of(s));
    if (key_type_is_pair(m->key_type))
        return;        /* its keys were its own already */
    other.key ^= 0xF0; /* bit 1 of a byte of a DES key is parity */
    bench_change_card(&s->w.b, &other);
    expect_played(s, "on a card with its own keys", play_all(&s->w.b, r), false);
}

static void play_again(struct sweep *s)
{
    const struct channel_method *m = s->choice.method;
    struct recorder r;
    const struct bench_client client = recorder_client(&r);
    scene_fresh(&s->w);
    struct bench_result result = bench_run(&s->w.b, "install", &client);
    if (result.outcome != OUTCOME_CONFIRMED && result.outcome != OUTCOME_REPORTED)
        fail_msg("%s: %s", row_of(s), result.detail);
    expect_played(s, "in the session", r.accepted_again, false);
    vcard_reset(s->w.b.card);
    expect_played(s, "after a reset", packet_play(s->w.b.card, wr_view_of(&r.packet), 0), false);
    if (!works_again(m))
        expect_played(s, "in a new session", play_all(&s->w.b, &r), false);
    /* As it was before the delivery: all that such a card can tell from a replay is what it holds. */
    if (works_again(m)) {
        scene_fresh(&s->w);
        expect_played(s, "from the opening on", play_all(&s->w.b, &r), true);
    }
    scene_usable(&s->w, row_of(s));
    play_on_other_cards(s, &r);
    recorder_finish(&r);
    s->sessions++;
}

static void a_packet_works_once_on_one_card(void **state)
{
    (void)state;
    for_every_choice(play_again);
}

/* ---- Forged answers ---------------------------------------------------------------------------------- */

static void lie_in_all_ways(struct sweep *s, struct liar *l)
{
    const struct bench_client client = liar_client(l);
    l->recording = false;
    for (int kind = 0; kind < LIES; kind++) {
        if (is_slow(s) && (s->ordinal + (size_t)kind) % 2 != 0)
            continue;
        l->lie = kind;
        scene_fresh(&s->w);
        struct bench_result r = bench_run(&s->w.b, "install", &client);
        if (attack_has_application(&s->w.b))
            fail_msg("%s, lie %d: the card saw it", row_of(s), kind);
        if (r.outcome == OUTCOME_CONFIRMED || (shows(s) && r.outcome != OUTCOME_UNKNOWN))
            fail_msg("%s, lie %d: %s (%s)", row_of(s), kind, outcome_word(r.outcome), r.detail);
        s->sessions++;
    }
}

/* An answer of the card, one bit of it changed: the session is not confirmed, whatever was done. */
static void flip_answers(struct sweep *s, const struct liar *honest)
{
    for (size_t k = 0; k < ANSWER_FLIPS / (is_slow(s) ? 2U : 1U); k++) {
        size_t n = (s->ordinal + k) % honest->old_count, len = honest->old[n].len;
        struct flipper f = {.post = POST_DELIVER,
                            .command = n,
                            .byte = (s->ordinal * 5 + k * 3) % len,
                            .mask = (uint8_t)(1U << ((s->ordinal + k) % 8))};
        const struct bench_client client = flipper_client(&f);
        scene_fresh(&s->w);
        struct bench_result r = bench_run(&s->w.b, "install", &client);
        if (!f.done || r.outcome == OUTCOME_CONFIRMED)
            fail_msg("%s, byte %zu of answer %zu changed: %s (%s)", row_of(s), f.byte, n,
                     outcome_word(r.outcome), r.detail);
        s->sessions++;
    }
}

struct swapper {
    size_t at; /* of the answers to the delivery: with the next one */
    bool done;
};

static void swap_answers(void *ctx, struct bench *b, unsigned post, struct writer *body)
{
    struct swapper *w = ctx;
    struct response_writer response;
    struct writer out;
    struct response_script *r = malloc(sizeof(*r));
    (void)b;
    assert_non_null(r);
    if (post == POST_DELIVER && response_parse(wr_view_of(body), r) == OK && w->at + 1 < r->count) {
        wr_heap(&out, 2 * SCRIPT_MAX);
        response_begin(&response, &out, SCRIPT_DEFINITE);
        for (size_t n = 0; n < r->count; n++)
            response_put(&response, r->rapdus[n == w->at ? n + 1 : n == w->at + 1 ? n - 1 : n]);
        assert_int_equal(response_end(&response), OK);
        w->done = !view_equal(r->rapdus[w->at], r->rapdus[w->at + 1]);
        wr_clear(body);
        wr_view(body, wr_view_of(&out));
        wr_free(&out);
    }
    free(r);
}

static void swap_some(struct sweep *s, size_t answers)
{
    struct swapper swapper = {.at = s->ordinal % (answers - 1)};
    const struct bench_client client = {.ctx = &swapper, .body = swap_answers};
    scene_fresh(&s->w);
    struct bench_result r = bench_run(&s->w.b, "install", &client);
    if (r.outcome == OUTCOME_CONFIRMED && swapper.done)
        fail_msg("%s, answer %zu swapped with the next: confirmed", row_of(s), swapper.at);
    s->sessions++;
}

static void forge_answers(struct sweep *s)
{
    struct liar honest = {.recording = true};
    const struct bench_client client = liar_client(&honest);
    scene_fresh(&s->w);
    (void)bench_run(&s->w.b, "install", &client);
    assert_true(honest.old_count > 4);
    lie_in_all_ways(s, &honest);
    flip_answers(s, &honest);
    swap_some(s, honest.old_count);
    liar_finish(&honest);
    scene_usable(&s->w, row_of(s));
}

static void no_forged_answer_is_confirmed(void **state)
{
    (void)state;
    for_every_choice(forge_answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_changed_packet_takes_effect),
        cmocka_unit_test(a_packet_works_once_on_one_card),
        cmocka_unit_test(no_forged_answer_is_confirmed),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
