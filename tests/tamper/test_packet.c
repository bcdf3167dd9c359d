/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that changes what it was given. Whatever it does to the packet, no command takes effect but those
 * that the server signed, in the order in which it signed them; and the card is as good as before afterwards.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POST_DELIVER = 1, COMMANDS_MAX = 16 };

static const uint8_t hello_app[] = {0xF0, 0x00, 0x00, 0x00, 0x01, 0x01};

/* A packet as the row of its commands. */
struct commands {
    struct writer bytes;
    struct {
        size_t at, len;
    } list[COMMANDS_MAX];
    size_t count;
};

static void split(struct commands *c, struct view packet)
{
    struct script_reader script;
    enum script_fault fault;
    struct view capdu;
    *c = (struct commands){.count = 0};
    wr_heap(&c->bytes, SCRIPT_MAX);
    assert_int_equal(script_open(&script, packet, &fault), OK);
    while (script_next(&script, &capdu, &fault) == OK && capdu.len > 0) {
        assert_true(c->count < COMMANDS_MAX);
        c->list[c->count].at = c->bytes.len;
        c->list[c->count++].len = capdu.len;
        wr_view(&c->bytes, capdu);
    }
}

static struct view command(const struct commands *c, size_t n)
{
    return view_of(c->bytes.data + c->list[n].at, c->list[n].len);
}

static void put_order(const struct commands *c, const size_t *order, size_t count, struct writer *packet)
{
    struct script_writer script;
    wr_clear(packet);
    script_begin(&script, packet, SCRIPT_DEFINITE);
    for (size_t n = 0; n < count; n++)
        script_put_capdu(&script, command(c, order[n]));
    assert_int_equal(script_end(&script), OK);
}

/* ---- The attacks ------------------------------------------------------------------------------------- */

struct attack {
    size_t flip;        /* which byte of all commands */
    uint8_t mask;       /* 0: none */
    size_t drop, swap;  /* SIZE_MAX: none */
    size_t twice;       /* SIZE_MAX: none */
    size_t commands;    /* of the packet */
    size_t bytes;       /* of all commands */
    size_t flipped;     /* the command that was changed */
    bool is_le;         /* ...in its Le */
    bool is_part;       /* ...so that it says that more of it follows */
    size_t answered_ok; /* commands that the card answered with 9000, from the start */
    bool refused;       /* one answer was none of 9000 */
};

static const struct attack no_attack = {.drop = SIZE_MAX, .swap = SIZE_MAX, .twice = SIZE_MAX};

static void change_packet(void *ctx, struct bench *b, unsigned post, struct writer *packet)
{
    struct attack *a = ctx;
    struct commands c;
    size_t order[COMMANDS_MAX + 1], count = 0, at = 0;
    (void)b;
    if (post != POST_DELIVER)
        return;
    split(&c, wr_view_of(packet));
    a->commands = c.count;
    a->bytes = c.bytes.len;
    if (a->mask != 0)
        c.bytes.data[a->flip] ^= a->mask;
    for (size_t n = 0; n < c.count; n++) {
        if (a->flip >= at && a->flip < at + c.list[n].len) {
            struct apdu parsed;
            a->flipped = n;
            a->is_le = a->flip + 1 == at + c.list[n].len && apdu_parse(command(&c, n), &parsed) == OK &&
                       parsed.ne > 0;
            a->is_part = apdu_parse(command(&c, n), &parsed) == OK && (parsed.p1 & 0x80) &&
                         (parsed.ins == 0xE6 || parsed.ins == 0xE4) && a->flip == at + 2;
        }
        at += c.list[n].len;
        if (n != a->drop)
            order[count++] = n;
        if (n == a->twice)
            order[count++] = n;
    }
    if (a->swap != SIZE_MAX) {
        order[a->swap] = a->swap + 1;
        order[a->swap + 1] = a->swap;
    }
    put_order(&c, order, count, packet);
    wr_free(&c.bytes);
}

static void note_answer(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu,
                        struct writer *rapdu)
{
    struct attack *a = ctx;
    struct rapdu r;
    (void)b, (void)n, (void)capdu;
    if (post != POST_DELIVER)
        return;
    bool good = rapdu_parse(wr_view_of(rapdu), &r) == OK && r.sw == SW_OK;
    a->refused = a->refused || !good;
    a->answered_ok += good && !a->refused;
}

static struct bench_result run_attack(struct bench *b, struct attack *a, bool goes_on)
{
    const struct bench_client client = {
        .ctx = a, .packet = change_packet, .answer = note_answer, .goes_on_after_errors = goes_on};
    return bench_run(b, "install", &client);
}

/* ---- The tests --------------------------------------------------------------------------------------- */

struct scene {
    struct bench b;
    struct bench_setup setup;
    struct blob empty; /* registry of the card as it was made */
    char number[CARD_NUMBER_TEXT_MAX + 1];
};

static void open_scene(struct scene *w, bool classic)
{
    *w = (struct scene){.number = ""};
    w->setup = classic ? bench_classic() : bench_modern();
    bench_open(&w->b, &w->setup);
    bench_add_app(&w->b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(&w->b, "install", "install", "hello", "", "");
    bench_number(&w->b, w->number);
    struct card_row row;
    assert_true(bench_card_row(&w->b, w->number, &row));
    assert_true(row.registry.len > 0);
    assert_int_equal(blob_copy(&w->empty, blob_view(&row.registry)), OK);
    card_row_free(&row);
}

static void close_scene(struct scene *w)
{
    blob_free(&w->empty);
    bench_close(&w->b);
}

/* Another chip of the same kind with the same name, and a server that knows nothing bad of it. */
static void fresh_card(struct scene *w)
{
    bench_change_card(&w->b, &w->setup.card);
    bench_release(&w->b, w->number);
    bench_set_registry(&w->b, w->number, blob_view(&w->empty));
}

/* After the attack the honest delivery works on the same card. */
static void usable_afterwards(struct scene *w, const char *what, size_t n)
{
    bench_release(&w->b, w->number);
    struct bench_result r = bench_run(&w->b, "install", NULL);
    if (r.outcome != OUTCOME_CONFIRMED && r.outcome != OUTCOME_REPORTED)
        fail_msg("%s %zu, afterwards: %s", what, n, r.detail);
    if (!vcard_has_application(w->b.card, VIEW_OF(hello_app)))
        fail_msg("%s %zu: the card did not get its application afterwards", what, n);
}

static void no_flipped_byte_is_accepted(bool classic, uint8_t mask)
{
    struct scene w;
    open_scene(&w, classic);
    struct attack a = no_attack;
    (void)run_attack(&w.b, &a, false);
    const size_t bytes = a.bytes, install = 4; /* EXTERNAL AUTHENTICATE, for load, two LOADs, for install */
    assert_true(bytes > 400);
    for (size_t n = 0; n < bytes; n++) {
        fresh_card(&w);
        a = no_attack;
        a.flip = n;
        a.mask = mask;
        struct bench_result r = run_attack(&w.b, &a, n % 2 == 1);
        if (a.is_le)
            continue; /* how much is to be answered is not signed: it changes no command */
        /* GPCS 2.3.1 11.1.5.1: a part is held, not executed, and answered 9000; the next command ends it. */
        if (a.answered_ok > a.flipped + a.is_part)
            fail_msg("byte %zu of command %zu was changed, and it was accepted", n, a.flipped);
        if (a.flipped <= install && vcard_has_application(w.b.card, VIEW_OF(hello_app)))
            fail_msg("byte %zu of command %zu was changed, and the application is there", n, a.flipped);
        if (a.flipped <= install && (r.outcome == OUTCOME_CONFIRMED || r.outcome == OUTCOME_REPORTED))
            fail_msg("byte %zu of command %zu was changed: %s", n, a.flipped, outcome_word(r.outcome));
        if (n % 37 == 0)
            usable_afterwards(&w, "flip", n);
    }
    close_scene(&w);
}

static void flip_low_bits_scp03(void **state)
{
    (void)state;
    no_flipped_byte_is_accepted(false, 0x01);
}

static void flip_high_bits_scp03(void **state)
{
    (void)state;
    no_flipped_byte_is_accepted(false, 0x80);
}

static void flip_low_bits_scp02(void **state)
{
    (void)state;
    no_flipped_byte_is_accepted(true, 0x01);
}

/* Each command left out, doubled, or changed with its neighbour: the signature of the next one holds it. */
static void nothing_can_be_dropped_doubled_or_swapped(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        struct scene w;
        open_scene(&w, round % 2 == 1);
        struct attack a = no_attack;
        (void)run_attack(&w.b, &a, false);
        const size_t commands = a.commands;
        for (size_t n = 0; n + 1 < commands; n++) {
            for (unsigned kind = 0; kind < 3; kind++) {
                fresh_card(&w);
                a = no_attack;
                *(kind == 0 ? &a.drop : kind == 1 ? &a.swap : &a.twice) = n;
                (void)run_attack(&w.b, &a, round >= 2);
                size_t limit = kind == 2 ? n + 1 : n;
                if (a.answered_ok > limit)
                    fail_msg("round %u, attack %u on command %zu: %zu commands were accepted", round, kind, n,
                             a.answered_ok);
                bool there = vcard_has_application(w.b.card, VIEW_OF(hello_app));
                if (there && n < 4)
                    fail_msg("round %u, attack %u on command %zu: the application is there", round, kind, n);
                usable_afterwards(&w, "attack", n);
            }
        }
        close_scene(&w);
    }
}

/* ---- Replay ------------------------------------------------------------------------------------------ */

struct recorder {
    struct writer packet;
};

static void record(void *ctx, struct bench *b, unsigned post, struct writer *packet)
{
    struct recorder *r = ctx;
    (void)b;
    if (post == POST_DELIVER) {
        wr_clear(&r->packet);
        wr_view(&r->packet, wr_view_of(packet));
    }
}

/* How many commands of the packet the card accepts. */
static size_t play(struct vcard *card, struct view packet)
{
    struct commands c;
    struct writer rapdu;
    struct rapdu r;
    size_t accepted = 0;
    wr_heap(&rapdu, RAPDU_MAX);
    split(&c, packet);
    for (size_t n = 0; n < c.count; n++) {
        wr_clear(&rapdu);
        vcard_send(card, command(&c, n), &rapdu);
        accepted += rapdu_parse(wr_view_of(&rapdu), &r) == OK && r.sw == SW_OK;
    }
    wr_free(&rapdu);
    wr_free(&c.bytes);
    return accepted;
}

static void initialize_update(struct vcard *card, uint8_t kvn)
{
    const uint8_t capdu[] = {0x80, 0x50, kvn, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x00};
    struct writer rapdu;
    wr_heap(&rapdu, RAPDU_MAX);
    vcard_send(card, VIEW_OF(capdu), &rapdu);
    wr_free(&rapdu);
}

static void play_again(void *ctx, struct bench *b, unsigned post, struct writer *body)
{
    struct recorder *r = ctx;
    (void)body;
    /* In the same session, right behind the delivery. */
    if (post == POST_DELIVER && play(b->card, wr_view_of(&r->packet)) != 0)
        fail_msg("replayed in the session, and accepted");
}

static void a_packet_works_once_on_one_card(void **state)
{
    (void)state;
    for (unsigned classic = 0; classic < 2; classic++) {
        struct scene w;
        struct recorder r;
        const struct bench_client client = {.ctx = &r, .packet = record, .body = play_again};
        open_scene(&w, classic == 1);
        wr_heap(&r.packet, SCRIPT_MAX);
        const uint8_t kvn = classic == 1 ? 0xFF : 0x30;
        struct bench_result result = bench_run(&w.b, "install", &client);
        assert_true(result.outcome == OUTCOME_CONFIRMED || result.outcome == OUTCOME_REPORTED);

        vcard_reset(w.b.card);
        assert_int_equal(play(w.b.card, wr_view_of(&r.packet)), 0);
        initialize_update(w.b.card, kvn);
        assert_int_equal(play(w.b.card, wr_view_of(&r.packet)), 0);

        /* Another card with the same keys: its challenge is another. */
        w.setup.card.serial++;
        bench_change_card(&w.b, &w.setup.card);
        assert_int_equal(play(w.b.card, wr_view_of(&r.packet)), 0);
        initialize_update(w.b.card, kvn);
        assert_int_equal(play(w.b.card, wr_view_of(&r.packet)), 0);
        assert_false(vcard_has_application(w.b.card, VIEW_OF(hello_app)));
        wr_free(&r.packet);
        close_scene(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flip_low_bits_scp03),
        cmocka_unit_test(flip_high_bits_scp03),
        cmocka_unit_test(flip_low_bits_scp02),
        cmocka_unit_test(nothing_can_be_dropped_doubled_or_swapped),
        cmocka_unit_test(a_packet_works_once_on_one_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
