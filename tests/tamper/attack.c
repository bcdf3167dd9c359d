/* SPDX-License-Identifier: Apache-2.0
 *
 * The attackers. */
#include "attack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t hello_app[] = {0xF0, 0x00, 0x00, 0x00, 0x01, 0x01};

/* ---- Packets ----------------------------------------------------------------------------------------- */

void commands_split(struct commands *c, struct view packet)
{
    struct script_reader script;
    enum script_fault fault;
    struct view capdu;
    *c = (struct commands){.count = 0};
    wr_heap(&c->bytes, SCRIPT_MAX);
    assert_int_equal(script_open(&script, packet, &fault), OK);
    while (script_next(&script, &capdu, &fault) == OK && capdu.len > 0) {
        assert_true(c->count < ATTACK_COMMANDS_MAX);
        c->list[c->count].at = c->bytes.len;
        c->list[c->count++].len = capdu.len;
        wr_view(&c->bytes, capdu);
    }
}

struct view commands_at(const struct commands *c, size_t n)
{
    return view_of(c->bytes.data + c->list[n].at, c->list[n].len);
}

void commands_put(const struct commands *c, const size_t *order, size_t count, struct writer *packet)
{
    struct script_writer script;
    wr_clear(packet);
    script_begin(&script, packet, SCRIPT_DEFINITE);
    for (size_t n = 0; n < count; n++)
        script_put_capdu(&script, commands_at(c, order[n]));
    assert_int_equal(script_end(&script), OK);
}

size_t packet_play(struct vcard *card, struct view packet, size_t from)
{
    struct commands c;
    struct writer rapdu;
    struct rapdu r;
    size_t accepted = 0;
    wr_heap(&rapdu, RAPDU_MAX);
    commands_split(&c, packet);
    for (size_t n = from; n < c.count; n++) {
        wr_clear(&rapdu);
        vcard_send(card, commands_at(&c, n), &rapdu);
        accepted += rapdu_parse(wr_view_of(&rapdu), &r) == OK && (r.sw == SW_OK || r.sw >> 8 == 0x61);
    }
    wr_free(&rapdu);
    wr_free(&c.bytes);
    return accepted;
}

/* ---- Changing them ----------------------------------------------------------------------------------- */

const struct attack attack_none = {
    .post = POST_DELIVER, .drop = SIZE_MAX, .swap = SIZE_MAX, .twice = SIZE_MAX};

/* GPCS 2.3.1 11.1.5.1, ISO/IEC 7816-4 5.3.3: of P1, or of the class byte, a bit says that more follows. */
static bool says_part(const struct apdu *parsed, size_t offset)
{
    bool content = parsed->ins == INS_INSTALL || parsed->ins == INS_DELETE || parsed->ins == INS_PUT_KEY;
    return (offset == 0 && (parsed->cla & 0x10) != 0) || (offset == 2 && content && (parsed->p1 & 0x80) != 0);
}

static void note_flip(struct attack *a, size_t n, size_t offset, struct view capdu)
{
    struct apdu parsed;
    bool good = apdu_parse(capdu, &parsed) == OK;
    size_t le = good && parsed.ne > 0 ? (parsed.extended ? 2 : 1) : 0;
    a->flipped = n;
    a->is_le = offset + le >= capdu.len;
    a->is_part = good && says_part(&parsed, offset);
}

static void change_packet(void *ctx, struct bench *b, unsigned post, struct writer *packet)
{
    struct attack *a = ctx;
    struct commands c;
    size_t order[ATTACK_COMMANDS_MAX + 1], count = 0;
    (void)b;
    if (post != a->post)
        return;
    commands_split(&c, wr_view_of(packet));
    a->commands = c.count;
    a->bytes = c.bytes.len;
    for (size_t n = 0; n < c.count; n++) {
        if (commands_at(&c, n).data[1] == INS_INSTALL)
            a->last_change = n;
    }
    if (a->mask != 0)
        c.bytes.data[a->flip] ^= a->mask;
    for (size_t n = 0; n < c.count; n++) {
        if (a->mask != 0 && a->flip >= c.list[n].at && a->flip < c.list[n].at + c.list[n].len)
            note_flip(a, n, a->flip - c.list[n].at, commands_at(&c, n));
        if (n != a->drop)
            order[count++] = n;
        if (n == a->twice)
            order[count++] = n;
    }
    if (a->swap != SIZE_MAX) {
        order[a->swap] = a->swap + 1;
        order[a->swap + 1] = a->swap;
    }
    commands_put(&c, order, count, packet);
    wr_free(&c.bytes);
}

static void note_answer(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu,
                        struct writer *rapdu)
{
    struct attack *a = ctx;
    struct rapdu r;
    (void)b, (void)n, (void)capdu;
    if (post != a->post)
        return;
    bool good = rapdu_parse(wr_view_of(rapdu), &r) == OK && r.sw == SW_OK;
    a->refused = a->refused || !good;
    a->answered_ok += good && !a->refused;
}

struct bench_result attack_run(struct bench *b, struct attack *a, bool goes_on)
{
    const struct bench_client client = {
        .ctx = a, .packet = change_packet, .answer = note_answer, .goes_on_after_errors = goes_on};
    return bench_run(b, "install", &client);
}

bool attack_has_application(struct bench *b)
{
    return vcard_has_application(b->card, VIEW_OF(hello_app));
}

void attack_expect_flip(const char *row, struct scene *w, const struct attack *a,
                        const struct bench_result *r)
{
    bool there = attack_has_application(&w->b);
    if (r->outcome == OUTCOME_CONFIRMED && !there)
        fail_msg("%s, byte %zu of command %zu was changed: confirmed, and it is not there", row, a->flip,
                 a->flipped);
    if (a->is_le)
        return; /* how much is to be answered is not signed: it changes no command */
    /* GPCS 2.3.1 11.1.5.1: a part is held, not executed, and answered 9000; the next command ends it. */
    if (a->answered_ok > a->flipped + a->is_part)
        fail_msg("%s, byte %zu of command %zu was changed, and it was accepted", row, a->flip, a->flipped);
    if (a->flipped > a->last_change)
        return; /* what was ordered is done */
    if (there)
        fail_msg("%s, byte %zu of command %zu was changed, and the application is there", row, a->flip,
                 a->flipped);
    /* What the card answers to a part is 9000, too, and reported is what a client says. */
    if (r->outcome == OUTCOME_CONFIRMED || (r->outcome == OUTCOME_REPORTED && !a->is_part))
        fail_msg("%s, byte %zu of command %zu was changed: %s", row, a->flip, a->flipped,
                 outcome_word(r->outcome));
}

/* ---- The scene --------------------------------------------------------------------------------------- */

void scene_open(struct scene *w, const struct bench_setup *setup)
{
    struct card_row row;
    *w = (struct scene){.setup = *setup};
    bench_open(&w->b, &w->setup);
    bench_add_app(&w->b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(&w->b, "install", "install", "hello", "", "");
    bench_read_number(&w->b, w->number);
    if (setup->key_fields != NULL)
        bench_add_peer(&w->b, &w->setup, w->number);
    wr_heap(&w->chip, VCARD_SAVED_MAX);
    vcard_save(w->b.card, &w->chip);
    assert_int_equal(wr_status(&w->chip), OK);
    (void)bench_run(&w->b, "inspect", NULL);
    assert_true(bench_card_row(&w->b, w->number, &row));
    assert_true(row.registry.len > 0);
    assert_int_equal(blob_copy(&w->empty, blob_view(&row.registry)), OK);
    card_row_free(&row);
}

void scene_close(struct scene *w)
{
    wr_free(&w->chip);
    blob_free(&w->empty);
    bench_close(&w->b);
}

void scene_fresh(struct scene *w)
{
    assert_int_equal(vcard_restore(w->b.card, wr_view_of(&w->chip)), OK);
    bench_release(&w->b, w->number);
    bench_set_registry(&w->b, w->number, blob_view(&w->empty));
}

void scene_usable(struct scene *w, const char *row)
{
    bench_release(&w->b, w->number);
    struct bench_result r = bench_run(&w->b, "install", NULL);
    if (r.outcome != OUTCOME_CONFIRMED && r.outcome != OUTCOME_REPORTED)
        fail_msg("%s, afterwards: %s", row, r.detail);
    if (!attack_has_application(&w->b))
        fail_msg("%s: the card did not get its application afterwards", row);
}

/* ---- Answers ----------------------------------------------------------------------------------------- */

static void keep(struct liar *l, size_t n, struct writer *rapdu)
{
    if (n >= ATTACK_COMMANDS_MAX)
        return;
    wr_heap(&l->old[n], RAPDU_MAX);
    wr_view(&l->old[n], wr_view_of(rapdu));
    l->old_count = n + 1;
}

static void forge(struct liar *l, size_t n, struct writer *rapdu)
{
    wr_clear(rapdu);
    if (l->lie == SAYS_OLD && n < l->old_count) {
        wr_view(rapdu, wr_view_of(&l->old[n]));
        return;
    }
    if (l->lie == SAYS_LAST && l->old_count > 1) {
        wr_view(rapdu, wr_view_of(&l->old[1]));
        return;
    }
    if (l->lie == SAYS_WARNING) {
        static const uint16_t warnings[] = {0x6200, 0x6310, 0x6101};
        wr_u16(rapdu, n == 0 ? SW_OK : warnings[n % 3]);
        return;
    }
    size_t len = l->lie == SAYS_DATA ? 8 : l->lie == SAYS_LONG ? 9 + n * 16 : 0;
    for (size_t k = 0; k < len; k++)
        wr_u8(rapdu, (uint8_t)(l->seed++ * 167));
    wr_u16(rapdu, SW_OK);
}

static void lie(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu, struct writer *rapdu)
{
    struct liar *l = ctx;
    (void)b, (void)capdu;
    if (post < POST_DELIVER)
        return; /* the true answer: without it there is no channel to lie about */
    if (l->recording)
        keep(l, n, rapdu);
    else
        forge(l, n, rapdu);
}

static bool withhold(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu)
{
    const struct liar *l = ctx;
    (void)n, (void)capdu;
    if (post >= POST_DELIVER && !l->recording)
        vcard_reset(b->card);
    return true;
}

struct bench_client liar_client(struct liar *l)
{
    return (struct bench_client){.ctx = l, .command = withhold, .answer = lie};
}

void liar_finish(struct liar *l)
{
    for (size_t n = 0; n < l->old_count; n++)
        wr_free(&l->old[n]);
    l->old_count = 0;
}

static void flip(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu, struct writer *rapdu)
{
    struct flipper *f = ctx;
    (void)b, (void)capdu;
    if (post != f->post || n != f->command || f->byte >= rapdu->len)
        return;
    rapdu->data[f->byte] ^= f->mask;
    f->done = true;
}

struct bench_client flipper_client(struct flipper *f)
{
    return (struct bench_client){.ctx = f, .answer = flip};
}

/* ---- In another order, and again --------------------------------------------------------------------- */

void attack_order(const char *row, struct scene *w, unsigned kind, size_t n, bool goes_on)
{
    static const char *const kinds[] = {"dropped", "swapped with the next", "doubled"};
    struct attack a = attack_none;
    char name[200];
    (void)snprintf(name, sizeof(name), "%s, command %zu %s", row, n, kinds[kind]);
    *(kind == ATTACK_DROP ? &a.drop : kind == ATTACK_SWAP ? &a.swap : &a.twice) = n;
    scene_fresh(w);
    (void)attack_run(&w->b, &a, goes_on);
    if (a.answered_ok > n + (kind == ATTACK_TWICE))
        fail_msg("%s: %zu commands were accepted", name, a.answered_ok);
    if (attack_has_application(&w->b) && n < a.last_change)
        fail_msg("%s: the application is there", name);
    scene_usable(w, name);
}

static void record(void *ctx, struct bench *b, unsigned post, struct writer *packet)
{
    struct recorder *r = ctx;
    struct writer *to = post == POST_DELIVER ? &r->packet : &r->opening;
    (void)b;
    if (post > POST_DELIVER)
        return;
    wr_clear(to);
    wr_view(to, wr_view_of(packet));
}

static void play_again(void *ctx, struct bench *b, unsigned post, struct writer *body)
{
    struct recorder *r = ctx;
    (void)body;
    if (post == POST_DELIVER)
        r->accepted_again = packet_play(b->card, wr_view_of(&r->packet), 0);
}

struct bench_client recorder_client(struct recorder *r)
{
    *r = (struct recorder){.accepted_again = 0};
    wr_heap(&r->opening, 2 * SCRIPT_MAX);
    wr_heap(&r->packet, 2 * SCRIPT_MAX);
    return (struct bench_client){.ctx = r, .packet = record, .body = play_again};
}

void recorder_finish(struct recorder *r)
{
    wr_free(&r->opening);
    wr_free(&r->packet);
}
