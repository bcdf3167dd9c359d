/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules that protect cards, each with a client or a card that would break it. */
#include <base/log.h>

#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { KVN = 0x30, POST_OPEN = 0, POST_DELIVER = 1 };

static void open_with_hello(struct bench *b, const struct bench_setup *setup)
{
    bench_open(b, setup);
    bench_add_app(b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(b, "install", "install", "hello", "", "");
}

static bool is_ins(struct view capdu, uint8_t ins)
{
    return capdu.len > 1 && capdu.data[1] == ins;
}

static void put_sw(struct writer *rapdu, uint16_t sw)
{
    wr_clear(rapdu);
    wr_u16(rapdu, sw);
}

/* ---- Rules 1 and 3: a wrong cryptogram ---------------------------------------------------------------- */

static void a_wrong_key_costs_the_card_nothing(void **state)
{
    struct bench b;
    struct card_row row;
    char number[CARD_NUMBER_TEXT_MAX + 1];
    struct bench_setup setup = bench_modern();
    (void)state;
    setup.server_key = 0x40;
    open_with_hello(&b, &setup);
    struct bench_result r = bench_run(&b, "install", NULL);
    bench_expect("wrong key", &r, OUTCOME_FAILED, REASON_WRONG_KEY);
    assert_int_equal(r.external_authentications, 0);
    assert_int_equal(r.posts, 2);
    assert_int_equal(vcard_failures(b.card), 0);
    memcpy(number, r.card, sizeof(number));
    assert_int_equal(bench_ledger(&b, number, KVN).wrong_cryptograms, 1);
    assert_true(bench_card_row(&b, number, &row));
    assert_true(row.quarantined && strlen(row.reason) > 10);
    card_row_free(&row);

    /* Set aside: an order for any card finds out, one for this card does not even open. */
    r = bench_run(&b, "install", NULL);
    bench_expect("again", &r, OUTCOME_FAILED, REASON_CARD_BLOCKED);
    assert_int_equal(r.external_authentications, 0);
    bench_add_order(&b, "named", "install", "hello", number, "");
    r = bench_run(&b, "named", NULL);
    bench_expect("named", &r, OUTCOME_FAILED, REASON_CARD_BLOCKED);
    assert_int_equal(r.initialize_updates, 0);
    bench_close(&b);
}

static void flip_cryptogram(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu,
                            struct writer *rapdu)
{
    (void)b, (void)post, (void)n;
    if (is_ins(capdu, INS_INITIALIZE_UPDATE) && rapdu->len > 2)
        rapdu->data[rapdu->len - 1 - *(size_t *)ctx] ^= 0x01;
}

/* Every byte of the cryptogram and of the challenge before it. */
static void each_byte_of_the_cryptogram_counts(void **state)
{
    struct bench b;
    const struct bench_setup setup = bench_modern();
    (void)state;
    open_with_hello(&b, &setup);
    for (size_t back = 5; back < 5 + 16; back++) { /* behind it: sequence counter 3, status word 2 */
        const struct bench_client client = {.ctx = &back, .answer = flip_cryptogram};
        struct bench_result r = bench_run(&b, "install", &client);
        if (r.reason != REASON_WRONG_KEY || r.external_authentications != 0)
            fail_msg("byte %zu from the end: %s", back, reason_word(r.reason));
        bench_release(&b, r.card);
    }
    struct bench_result r = bench_run(&b, "install", NULL);
    bench_expect("released", &r, OUTCOME_CONFIRMED, REASON_NONE);
    bench_close(&b);
}

/* ---- Rule 2: what is counted before it leaves --------------------------------------------------------- */

struct counted {
    const char *order, *card;
    uint32_t openings_left, card_openings;
    bool looked;
};

static void look_at_ledger(void *ctx, struct bench *b, unsigned post, struct writer *packet)
{
    struct counted *c = ctx;
    (void)packet;
    if (post != POST_OPEN)
        return;
    c->looked = true;
    c->openings_left = bench_order(b, c->order).openings_left;
    c->card_openings = c->card != NULL ? bench_ledger(b, c->card, KVN).openings : 0;
}

static void an_opening_is_counted_before_it_leaves(void **state)
{
    struct bench b;
    char number[CARD_NUMBER_TEXT_MAX + 1];
    const struct bench_setup setup = bench_modern();
    (void)state;
    open_with_hello(&b, &setup);
    bench_number(&b, number);
    bench_add_order(&b, "named", "install", "hello", number, "");
    struct counted counted = {.order = "named", .card = number};
    const struct bench_client client = {.ctx = &counted, .packet = look_at_ledger};
    struct bench_result r = bench_run(&b, "named", &client);
    bench_expect("named", &r, OUTCOME_CONFIRMED, REASON_NONE);
    assert_true(counted.looked);
    assert_int_equal(counted.openings_left, 99999);
    assert_int_equal(counted.card_openings, 1);
    assert_int_equal(bench_ledger(&b, number, KVN).openings, 0);
    bench_close(&b);
}

static void look_before_delivery(void *ctx, struct bench *b, unsigned post, struct writer *packet)
{
    struct counted *c = ctx;
    (void)packet;
    if (post != POST_DELIVER)
        return;
    c->looked = true;
    c->card_openings = bench_ledger(b, c->card, KVN).openings;
}

/* An order for any card: the card is known from the first answer on, and counted before the packet leaves. */
static void an_opening_of_a_card_that_was_not_named_is_counted_too(void **state)
{
    struct bench b;
    char number[CARD_NUMBER_TEXT_MAX + 1];
    const struct bench_setup setup = bench_modern();
    (void)state;
    open_with_hello(&b, &setup);
    bench_number(&b, number);
    struct counted counted = {.order = "install", .card = number};
    const struct bench_client client = {.ctx = &counted, .packet = look_before_delivery};
    struct bench_result r = bench_run(&b, "install", &client);
    bench_expect("any", &r, OUTCOME_CONFIRMED, REASON_NONE);
    assert_true(counted.looked);
    assert_int_equal(counted.card_openings, 1);
    bench_close(&b);
}

/* ---- Rule 3: unfinished openings ---------------------------------------------------------------------- */

static bool stop_before_delivery(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu)
{
    (void)ctx, (void)b, (void)n, (void)capdu;
    return post != POST_DELIVER;
}

static bool stop_before_authentication(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu)
{
    (void)ctx, (void)b, (void)n;
    return post != POST_OPEN || !is_ins(capdu, INS_INITIALIZE_UPDATE);
}

static void three_unfinished_openings_stop_the_server(void **state)
{
    static const struct {
        const char *name;
        bool (*stop)(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu);
        bool named;
        const char *more;
        unsigned openings;
    } rows[] = {
        {"before the delivery, any card", stop_before_delivery, false, NULL, 3},
        {"before the delivery, named card", stop_before_delivery, true, NULL, 3},
        {"before INITIALIZE UPDATE, named card", stop_before_authentication, true, NULL, 3},
        {"before the delivery, at most five", stop_before_delivery, true, ",\"max_openings\":5", 5},
        {"before the delivery, identified first", stop_before_delivery, true, ",\"identify_first\":true", 3},
    };
    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct bench b;
        char number[CARD_NUMBER_TEXT_MAX + 1];
        struct bench_setup setup = bench_modern();
        const struct bench_client client = {.command = rows[n].stop};
        setup.more = rows[n].more;
        open_with_hello(&b, &setup);
        bench_number(&b, number);
        bench_add_order(&b, "named", "install", "hello", number, "");
        const char *order = rows[n].named ? "named" : "install";
        bool later = rows[n].more != NULL && strstr(rows[n].more, "first") != NULL;
        struct bench_result r;
        for (unsigned k = 0; k < rows[n].openings; k++) {
            /* One POST later when the card is identified first: pulled before the opening there. */
            r = bench_run(&b, order, &client);
            bench_expect(rows[n].name, &r, OUTCOME_FAILED, REASON_CARD_PULLED);
            assert_int_equal(bench_ledger(&b, number, KVN).openings, k + 1);
        }
        r = bench_run(&b, order, NULL);
        bench_expect(rows[n].name, &r, OUTCOME_FAILED, REASON_CARD_BLOCKED);
        assert_int_equal(r.external_authentications, 0);
        assert_int_equal(r.initialize_updates, rows[n].named || later ? 0 : 1);
        bench_release(&b, number);
        r = bench_run(&b, order, NULL);
        bench_expect(rows[n].name, &r, OUTCOME_CONFIRMED, REASON_NONE);
        assert_int_equal(bench_ledger(&b, number, KVN).openings, 0);
        bench_close(&b);
    }
}

/* A client that says "done" to everything can take back no more than the opening of its own session. */
static void a_reported_success_takes_back_its_own_opening_only(void **state)
{
    struct bench b;
    char number[CARD_NUMBER_TEXT_MAX + 1];
    const struct bench_setup setup = bench_classic();
    const struct bench_client pulls = {.command = stop_before_delivery};
    (void)state;
    open_with_hello(&b, &setup);
    bench_number(&b, number);
    for (unsigned n = 0; n < 2; n++)
        (void)bench_run(&b, "install", &pulls);
    assert_int_equal(bench_ledger(&b, number, 0xFF).openings, 2);
    struct bench_result r = bench_run(&b, "install", NULL);
    bench_expect("reported", &r, OUTCOME_REPORTED, REASON_NONE);
    assert_int_equal(bench_ledger(&b, number, 0xFF).openings, 2);
    bench_close(&b);
}

static void an_order_has_a_limit_of_openings(void **state)
{
    struct bench b;
    const struct bench_setup setup = bench_modern();
    struct order_row order = {.level = -1, .cards_left = 9, .openings_left = 2, .expires_ms = UINT64_MAX / 4};
    (void)state;
    open_with_hello(&b, &setup);
    (void)snprintf(order.id, sizeof(order.id), "two");
    (void)snprintf(order.app, sizeof(order.app), "hello");
    (void)snprintf(order.purpose, sizeof(order.purpose), "install");
    (void)snprintf(order.state, sizeof(order.state), "open");
    const struct change add = {.kind = ORDER_ADD, .row.order = &order};
    bench_submit(&b, &add, 1);
    for (unsigned n = 0; n < 2; n++) {
        struct bench_result r = bench_run(&b, "two", NULL);
        assert_int_equal(r.outcome, OUTCOME_CONFIRMED);
    }
    struct bench_result r = bench_run(&b, "two", NULL);
    bench_expect("third", &r, OUTCOME_FAILED, REASON_TICKET_USED);
    assert_int_equal(r.initialize_updates, 0);
    bench_close(&b);
}

/* ---- Rule 4: a blocked key set ------------------------------------------------------------------------ */

struct says {
    uint8_t ins;
    uint16_t sw;
};

static void say(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu, struct writer *rapdu)
{
    const struct says *s = ctx;
    (void)b, (void)post, (void)n;
    if (is_ins(capdu, s->ins))
        put_sw(rapdu, s->sw);
}

static void a_blocked_answer_to_initialize_update(void **state)
{
    static const struct {
        uint16_t sw;
        enum reason reason;
        bool quarantined;
    } rows[] = {
        {0x6982, REASON_CARD_BLOCKED, true},
        {0x6983, REASON_CARD_BLOCKED, true},
        {0x6A88, REASON_NO_KEY, false},
        {0x6D00, REASON_REFUSED, false},
    };
    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct bench b;
        struct card_row row;
        const struct bench_setup setup = bench_modern();
        struct says says = {INS_INITIALIZE_UPDATE, rows[n].sw};
        const struct bench_client client = {.ctx = &says, .answer = say};
        open_with_hello(&b, &setup);
        struct bench_result r = bench_run(&b, "install", &client);
        char name[16];
        (void)snprintf(name, sizeof(name), "%04X", rows[n].sw);
        bench_expect(name, &r, OUTCOME_FAILED, rows[n].reason);
        assert_int_equal(r.external_authentications, 0);
        assert_true(bench_card_row(&b, r.card, &row));
        assert_int_equal(row.quarantined, rows[n].quarantined);
        card_row_free(&row);
        r = bench_run(&b, "install", NULL);
        bench_expect(name, &r, rows[n].quarantined ? OUTCOME_FAILED : OUTCOME_CONFIRMED,
                     rows[n].quarantined ? REASON_CARD_BLOCKED : REASON_NONE);
        bench_close(&b);
    }
}

/* The card itself, blocked after ten failures. */
static void a_card_that_is_blocked_is_set_aside(void **state)
{
    struct bench b;
    const struct bench_setup setup = bench_modern();
    (void)state;
    open_with_hello(&b, &setup);
    vcard_set_failures(b.card, 10);
    struct bench_result r = bench_run(&b, "install", NULL);
    bench_expect("blocked card", &r, OUTCOME_FAILED, REASON_CARD_BLOCKED);
    bench_close(&b);
}

/* ---- Rule 5: nothing is guessed ----------------------------------------------------------------------- */

static void without_a_key_nothing_is_tried(void **state)
{
    struct bench b;
    struct bench_setup setup = bench_modern();
    (void)state;
    setup.card.key = 0x40; /* the well-known one: a server that falls back to it would get in */
    setup.no_key = true;
    open_with_hello(&b, &setup);
    struct bench_result r = bench_run(&b, "install", NULL);
    bench_expect("no key", &r, OUTCOME_FAILED, REASON_NO_KEY);
    assert_int_equal(r.external_authentications, 0);
    bench_close(&b);
}

static void check_version(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu,
                          struct writer *rapdu)
{
    (void)b, (void)post, (void)n, (void)rapdu;
    if (is_ins(capdu, INS_INITIALIZE_UPDATE))
        *(int *)ctx = capdu.data[2];
}

static void the_key_version_is_asked_for_by_name(void **state)
{
    struct bench b;
    int version = -1;
    const struct bench_setup setup = bench_modern();
    const struct bench_client client = {.ctx = &version, .answer = check_version};
    (void)state;
    open_with_hello(&b, &setup);
    struct bench_result r = bench_run(&b, "install", &client);
    bench_expect("asked", &r, OUTCOME_CONFIRMED, REASON_NONE);
    assert_int_equal(version, KVN);
    bench_close(&b);
}

/* ---- Rule 6: no downgrade ----------------------------------------------------------------------------- */

struct forge_byte {
    size_t at;
    uint8_t value;
};

static void forge_initialize_update(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu,
                                    struct writer *rapdu)
{
    const struct forge_byte *f = ctx;
    (void)b, (void)post, (void)n;
    if (is_ins(capdu, INS_INITIALIZE_UPDATE))
        rapdu->data[f->at] = f->value;
}

/* Amendment D 7.1.1.6: diversification data 10, key version, protocol, i. */
static void a_weaker_answer_is_refused(void **state)
{
    static const struct {
        const char *name;
        struct forge_byte forge;
    } rows[] = {
        {"another key version", {10, 0x01}},    {"key version 0", {10, 0x00}},
        {"no response MAC", {12, 0x00}},        {"pseudo-random only", {12, 0x10}},
        {"no response encryption", {12, 0x30}}, {"another protocol", {11, 0x02}},
    };
    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct bench b;
        const struct bench_setup setup = bench_modern();
        struct forge_byte forge = rows[n].forge;
        const struct bench_client client = {.ctx = &forge, .answer = forge_initialize_update};
        open_with_hello(&b, &setup);
        struct bench_result r = bench_run(&b, "install", &client);
        if (r.reason != REASON_DOWNGRADE && r.reason != REASON_REFUSED)
            fail_msg("%s: %s", rows[n].name, reason_word(r.reason));
        assert_int_equal(r.external_authentications, 0);
        bench_close(&b);
    }
}

static void count_warnings(void *ctx, enum log_level level, const char *line)
{
    unsigned *count = ctx;
    if (level == LOG_WARNING && strstr(line, "session.counter-low") != NULL)
        *count += 1;
}

static uint64_t no_time(void *ctx)
{
    (void)ctx;
    return 0;
}

/* GPCS 2.3.1 E.5.1.2: the sequence counter of SCP02 stands behind diversification data and key information.
 */
static void a_counter_near_its_end_is_told(void **state)
{
    static const struct {
        const char *name;
        uint8_t high; /* byte of the counter */
        unsigned warnings;
    } rows[] = {{"7B00: 1,279 left", 0x7B, 0}, {"7F00: 255 left", 0x7F, 1}};
    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        unsigned warnings = 0;
        const struct log_target target = {count_warnings, no_time, &warnings, LOG_WARNING};
        struct bench b;
        struct bench_setup setup = bench_classic();
        struct forge_byte forge = {.at = 12, .value = rows[n].high};
        const struct bench_client client = {.ctx = &forge, .answer = forge_initialize_update};
        open_with_hello(&b, &setup);
        log_set_target(&target);
        struct bench_result r = bench_run(&b, "install", &client);
        log_set_target(NULL);
        bench_expect(rows[n].name, &r, OUTCOME_FAILED, REASON_WRONG_KEY);
        assert_int_equal(warnings, rows[n].warnings);
        bench_close(&b);
    }
}

/* What a card was once proven to speak is what it has to speak, also when its type is made weaker. */
static void a_card_stays_pinned(void **state)
{
    struct bench b;
    struct bench_setup setup = bench_modern();
    (void)state;
    open_with_hello(&b, &setup);
    struct bench_result r = bench_run(&b, "inspect", NULL);
    assert_int_equal(r.outcome == OUTCOME_CONFIRMED || r.outcome == OUTCOME_REPORTED, true);
    setup.i = "00";
    setup.level = "03";
    bench_put_type(&b, &setup);
    setup.card.i = 0x00; /* and so does the card */
    bench_change_card(&b, &setup.card);
    r = bench_run(&b, "install", NULL);
    bench_expect("weaker", &r, OUTCOME_FAILED, REASON_DOWNGRADE);
    assert_int_equal(r.external_authentications, 0);
    bench_close(&b);
}

/* ---- Rule 12: failed loads ---------------------------------------------------------------------------- */

static void three_failed_loads_stop_the_server(void **state)
{
    struct bench b;
    char number[CARD_NUMBER_TEXT_MAX + 1];
    struct bench_setup setup = bench_modern();
    (void)state;
    setup.card.memory = 2000;
    open_with_hello(&b, &setup);
    bench_number(&b, number);
    bench_add_app(&b, "bulk", "bulk24-jc222.cap", NULL);
    bench_add_order(&b, "bulk", "install", "bulk", "", "");
    for (unsigned n = 0; n < 3; n++) {
        struct bench_result r = bench_run(&b, "bulk", NULL);
        bench_expect("too large", &r, OUTCOME_FAILED, REASON_NOT_ENOUGH_MEMORY);
        assert_int_equal(bench_ledger(&b, number, KVN).failed_loads, n + 1);
        assert_int_equal(bench_ledger(&b, number, KVN).openings, 0); /* the channels were proven to work */
    }
    struct bench_result r = bench_run(&b, "install", NULL);
    bench_expect("fourth", &r, OUTCOME_FAILED, REASON_CARD_BLOCKED);
    assert_int_equal(r.loads, 0);
    bench_release(&b, number);
    r = bench_run(&b, "install", NULL);
    bench_expect("released", &r, OUTCOME_CONFIRMED, REASON_NONE);
    bench_close(&b);
}

/* A load that works in between makes them consecutive no more. */
static void a_good_load_clears_the_count(void **state)
{
    struct bench b;
    struct bench_setup setup = bench_modern();
    (void)state;
    setup.card.memory = 2000;
    open_with_hello(&b, &setup);
    bench_add_app(&b, "bulk", "bulk24-jc222.cap", NULL);
    bench_add_order(&b, "bulk", "install", "bulk", "", "");
    struct bench_result r = bench_run(&b, "bulk", NULL);
    assert_int_equal(bench_ledger(&b, r.card, KVN).failed_loads, 1);
    r = bench_run(&b, "install", NULL);
    bench_expect("fits", &r, OUTCOME_CONFIRMED, REASON_NONE);
    assert_int_equal(bench_ledger(&b, r.card, KVN).failed_loads, 0);
    bench_close(&b);
}

/* Each of the reasons to leave a card alone is enough by itself. */
static void one_reason_is_enough(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct bench b;
        struct card_row row;
        char number[CARD_NUMBER_TEXT_MAX + 1];
        const struct bench_setup setup = bench_modern();
        open_with_hello(&b, &setup);
        bench_number(&b, number);
        bench_add_order(&b, "named", "install", "hello", number, "");
        struct ledger_row ledger = {.kvn = KVN};
        (void)snprintf(ledger.card, sizeof(ledger.card), "%s", number);
        assert_true(bench_card_row(&b, number, &row));
        row.quarantined = true;
        struct change change = {.kind = LEDGER_WRONG, .row.ledger = &ledger};
        if (n == 1)
            change = (struct change){.kind = CARD_PUT, .row.card = &row};
        bench_submit(&b, &change, 1);
        struct bench_result r = bench_run(&b, "named", NULL);
        bench_expect(n == 0 ? "wrong cryptogram" : "quarantine", &r, OUTCOME_FAILED, REASON_CARD_BLOCKED);
        assert_string_equal(r.detail, n == 0 ? "The card's cryptogram was wrong before."
                                             : reason_text(REASON_CARD_BLOCKED));
        assert_int_equal(r.initialize_updates, 0);
        card_row_free(&row);
        bench_close(&b);
    }
}

/* On the card that counts every bare opening as a try: the server stops long before it is lost. */
static void the_server_never_is_the_tool(void **state)
{
    struct bench b;
    struct bench_setup setup = bench_modern();
    const struct bench_client client = {.command = stop_before_delivery};
    (void)state;
    setup.card.kind = "token";
    setup.i = "60";
    setup.kvn = "FF";
    open_with_hello(&b, &setup);
    char number[CARD_NUMBER_TEXT_MAX + 1];
    bench_number(&b, number);
    bench_add_order(&b, "named", "install", "hello", number, "");
    for (unsigned n = 0; n < 30; n++)
        (void)bench_run(&b, "named", &client);
    if (vcard_failures(b.card) > 3)
        fail_msg("the card has lost %u tries", vcard_failures(b.card));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_key_costs_the_card_nothing),
        cmocka_unit_test(each_byte_of_the_cryptogram_counts),
        cmocka_unit_test(an_opening_is_counted_before_it_leaves),
        cmocka_unit_test(an_opening_of_a_card_that_was_not_named_is_counted_too),
        cmocka_unit_test(three_unfinished_openings_stop_the_server),
        cmocka_unit_test(a_reported_success_takes_back_its_own_opening_only),
        cmocka_unit_test(an_order_has_a_limit_of_openings),
        cmocka_unit_test(a_blocked_answer_to_initialize_update),
        cmocka_unit_test(a_card_that_is_blocked_is_set_aside),
        cmocka_unit_test(without_a_key_nothing_is_tried),
        cmocka_unit_test(the_key_version_is_asked_for_by_name),
        cmocka_unit_test(a_weaker_answer_is_refused),
        cmocka_unit_test(a_counter_near_its_end_is_told),
        cmocka_unit_test(a_card_stays_pinned),
        cmocka_unit_test(three_failed_loads_stop_the_server),
        cmocka_unit_test(a_good_load_clears_the_count),
        cmocka_unit_test(one_reason_is_enough),
        cmocka_unit_test(the_server_never_is_the_tool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
