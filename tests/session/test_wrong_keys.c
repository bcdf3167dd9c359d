/* SPDX-License-Identifier: Apache-2.0
 *
 * Every method of the table with keys that do not fit: the server has another card key, another authority or
 * another card's public key; the card has another key version; a certificate is out of date; and a client
 * that lies about protocol, i and key version. The session fails closed, is counted, and gives nothing away.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of the answer to INITIALIZE UPDATE (GPCS 2.3.1 E.5.1.6, Amendment D 7.1.1.6). */
enum { AT_KVN = 10, AT_SCP = 11, AT_I = 12 };

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

/* One row of the table at work. */
struct trial {
    struct bench b;
    struct bench_choice choice;
    struct bench_text text;
    struct bench_setup setup;
    char number[CARD_NUMBER_TEXT_MAX + 1];
    uint8_t kvn;
};

static const char *row_of(const struct trial *t)
{
    return t->choice.name;
}

static bool is_pair(const struct trial *t)
{
    return key_type_is_pair(t->choice.method->key_type);
}

/* With implicit initiation of SCP02 the card proves nothing before the packet is sent (GPCS 2.3.1 E.1.2.2).
 */
static bool card_proves_first(const struct channel_method *m)
{
    return m->authenticates || m->keyed_opening;
}

/* The weakest level of each row, with its shortest keys. */
static void for_every_row(void (*test)(struct trial *t))
{
    const struct channel_method *before = NULL;
    struct bench_choice c;
    for (size_t n = 0; bench_choice(n, false, &c); n++) {
        if (c.method == before)
            continue;
        before = c.method;
        struct trial *t = calloc(1, sizeof(*t));
        assert_non_null(t);
        t->choice = c;
        t->setup = bench_for(&c, base, &t->text);
        t->kvn = (uint8_t)strtoul(t->setup.kvn, NULL, 16);
        test(t);
        free(t);
    }
}

static void begin(struct trial *t, bool with_peer)
{
    bench_open(&t->b, &t->setup);
    bench_add_app(&t->b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(&t->b, "install", "install", "hello", "", "");
    bench_read_number(&t->b, t->number);
    if (with_peer && t->setup.key_fields != NULL)
        bench_add_peer(&t->b, &t->setup, t->number);
}

static void expect_nothing_done(struct trial *t, const struct bench_result *r)
{
    if (r->external_authentications != 0)
        fail_msg("%s: EXTERNAL AUTHENTICATE left the server", row_of(t));
    if (r->outcome == OUTCOME_CONFIRMED || r->outcome == OUTCOME_REPORTED)
        fail_msg("%s: %s", row_of(t), outcome_word(r->outcome));
    if (vcard_has_application(t->b.card, VIEW_OF(hello_app)))
        fail_msg("%s: the card has it", row_of(t));
}

static bool is_set_aside(struct trial *t)
{
    struct card_row card;
    if (!bench_card_row(&t->b, t->number, &card))
        return false;
    bool aside = card.quarantined;
    card_row_free(&card);
    return aside;
}

/* ---- Another key on one side ------------------------------------------------------------------------- */

/* The type names another key, which the server has: the one of the type begins with what. */
static void rename_key(struct trial *t, const char *what)
{
    char *at = strstr(t->text.fields, what);
    assert_non_null(at);
    at = strchr(at, ':') + 2;
    *at = 'X';
    bench_put_type(&t->b, &t->setup);
}

/* What the type trusts is an authority that signed nothing on this card. */
static void trust_another(struct trial *t)
{
    char name[NAME_MAX_BYTES + 1];
    struct pk *other = NULL;
    (void)snprintf(name, sizeof(name), "Xards-%s-%s-%s", t->setup.scp, t->setup.i,
                   pk_curve_name(t->choice.curve));
    assert_int_equal(pk_generate_ec(t->b.crypto, t->choice.curve, &other), OK);
    bench_import_pair(&t->b, name, KEY_USE_TRUST, "", other);
    pk_free(&other);
    rename_key(t, "\"trust\"");
}

/* For the card's public key the server has one of the same kind: its own. */
static void another_peer(struct trial *t)
{
    char path[400], pem[8192];
    struct pk *own = NULL;
    (void)snprintf(path, sizeof(path), "%s/server-%02X.key", t->setup.card.host, t->choice.method->i);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(pem, 1, sizeof(pem), f);
    (void)fclose(f);
    assert_int_equal(pk_from_pem(view_of(pem, len), &own), OK);
    bench_import_pair(&t->b, "peer", KEY_USE_PEER, t->number, own);
    pk_free(&own);
}

static void begin_with_wrong_keys(struct trial *t)
{
    if (!is_pair(t))
        t->setup.server_key ^= 0xF0; /* bit 1 of a byte of a DES key is parity */
    begin(t, false);
    if (t->choice.method->scp == SCP11)
        trust_another(t);
    else if (is_pair(t))
        another_peer(t);
}

/* Rules 1 and 3: nothing that proves the server exists; one is enough, and costs the card no try. */
static void expect_wrong_key(struct trial *t)
{
    struct bench_result r = bench_run(&t->b, "install", NULL);
    bench_expect(row_of(t), &r, OUTCOME_FAILED, REASON_WRONG_KEY);
    expect_nothing_done(t, &r);
    if (r.posts != 2 || (!is_pair(t) && vcard_failures(t->b.card) != 0))
        fail_msg("%s: %u POSTs, %u tries lost", row_of(t), r.posts, vcard_failures(t->b.card));
    if (bench_ledger(&t->b, t->number, t->kvn).wrong_cryptograms != 1 || !is_set_aside(t))
        fail_msg("%s: not counted, or not set aside", row_of(t));
    r = bench_run(&t->b, "install", NULL);
    bench_expect(row_of(t), &r, OUTCOME_FAILED, REASON_CARD_BLOCKED);
}

/* Without a proof of the card the packet goes out; the card refuses it, and the openings come to their end.
 */
static void expect_refused_packet(struct trial *t)
{
    for (unsigned n = 1; n <= 3; n++) {
        struct bench_result r = bench_run(&t->b, "install", NULL);
        if (r.outcome != OUTCOME_FAILED)
            fail_msg("%s, try %u: %s", row_of(t), n, outcome_word(r.outcome));
        expect_nothing_done(t, &r);
        if (bench_ledger(&t->b, t->number, t->kvn).openings != n)
            fail_msg("%s, try %u: not counted", row_of(t), n);
    }
    struct bench_result r = bench_run(&t->b, "install", NULL);
    bench_expect(row_of(t), &r, OUTCOME_FAILED, REASON_CARD_BLOCKED);
    if (vcard_failures(t->b.card) > 3)
        fail_msg("%s: %u tries lost", row_of(t), vcard_failures(t->b.card));
}

static void try_wrong_keys(struct trial *t)
{
    begin_with_wrong_keys(t);
    if (card_proves_first(t->choice.method))
        expect_wrong_key(t);
    else
        expect_refused_packet(t);
    bench_close(&t->b);
}

static void a_wrong_key_fails_closed(void **state)
{
    (void)state;
    for_every_row(try_wrong_keys);
}

/* ---- Another version --------------------------------------------------------------------------------- */

/* With implicit initiation no version is named: the card takes its default keys (GPCS 2.3.1 E.1.2.2). */
static void try_another_version(struct trial *t)
{
    char kvn[3];
    if (!card_proves_first(t->choice.method))
        return;
    begin(t, true);
    (void)snprintf(kvn, sizeof(kvn), "%02X", t->kvn + 1U);
    t->setup.kvn = kvn;
    bench_put_type(&t->b, &t->setup);
    struct bench_result r = bench_run(&t->b, "install", NULL);
    expect_nothing_done(t, &r);
    if (r.outcome != OUTCOME_FAILED || (r.reason != REASON_NO_KEY && r.reason != REASON_REFUSED))
        fail_msg("%s: %s, %s (%s)", row_of(t), outcome_word(r.outcome), reason_word(r.reason), r.detail);
    if (is_set_aside(t))
        fail_msg("%s: set aside", row_of(t));
    bench_close(&t->b);
}

static void another_key_version_fails_closed(void **state)
{
    (void)state;
    for_every_row(try_another_version);
}

/* ---- Certificates out of date ------------------------------------------------------------------------ */

static void try_at(struct trial *t, const char *when, uint64_t now_ms)
{
    begin(t, true);
    t->b.now_ms = now_ms;
    bench_add_order(&t->b, "then", "install", "hello", "", "");
    struct bench_result r = bench_run(&t->b, "then", NULL);
    if (r.reason != REASON_SERVER_FAULT || strstr(r.detail, "certificate") == NULL)
        fail_msg("%s, %s: %s, %s (%s)", row_of(t), when, outcome_word(r.outcome), reason_word(r.reason),
                 r.detail);
    expect_nothing_done(t, &r);
    if (is_set_aside(t))
        fail_msg("%s, %s: it is not the card's fault", row_of(t), when);
    bench_close(&t->b);
}

static void try_dates(struct trial *t)
{
    if (t->choice.method->scp != SCP11)
        return;
    try_at(t, "before", 1500000000000); /* 2017; they begin in 2020 */
    try_at(t, "behind", 2556144000000); /* 2051 */
}

static void certificates_have_their_time(void **state)
{
    (void)state;
    for_every_row(try_dates);
}

/* ---- Lies about the answer to INITIALIZE UPDATE ------------------------------------------------------ */

struct forgery {
    uint8_t kvn, scp;
    int i; /* -1: the answer has none */
};

static void forge(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu,
                  struct writer *rapdu)
{
    const struct forgery *f = ctx;
    (void)b, (void)post, (void)n;
    if (capdu.data[1] != INS_INITIALIZE_UPDATE || rapdu->len <= AT_I)
        return;
    rapdu->data[AT_KVN] = f->kvn;
    rapdu->data[AT_SCP] = f->scp;
    if (f->i >= 0)
        rapdu->data[AT_I] = (uint8_t)f->i;
}

static void tell(struct trial *t, struct forgery lie)
{
    const struct bench_client client = {.ctx = &lie, .answer = forge};
    struct bench_result r = bench_run(&t->b, "install", &client);
    if (r.outcome != OUTCOME_FAILED || (r.reason != REASON_DOWNGRADE && r.reason != REASON_REFUSED))
        fail_msg("%s, said to be %02X i=%02X, version %02X: %s, %s", row_of(t), lie.scp,
                 (unsigned)lie.i & 0xFF, lie.kvn, outcome_word(r.outcome), reason_word(r.reason));
    expect_nothing_done(t, &r);
    bench_release(&t->b, t->number);
}

/* SCP01 and SCP02 do not tell i: the third byte is the challenge's. */
static bool tells_i(const struct channel_method *m)
{
    return m->scp == SCP03 || m->scp == SCP_SIGNED;
}

static void tell_lies(struct trial *t)
{
    size_t rows;
    const struct channel_method *mine = t->choice.method, *m = channel_methods(&rows);
    if (!mine->authenticates)
        return;
    begin(t, true);
    for (; rows > 0; m++, rows--) {
        if (m->scp != mine->scp)
            tell(t, (struct forgery){t->kvn, m->scp, tells_i(m) ? m->i : -1});
        else if (m->i != mine->i && tells_i(m))
            tell(t, (struct forgery){t->kvn, m->scp, m->i});
    }
    const int own_i = tells_i(mine) ? mine->i : -1;
    tell(t, (struct forgery){0x00, mine->scp, own_i});
    tell(t, (struct forgery){(uint8_t)(t->kvn + 1), mine->scp, own_i});
    tell(t, (struct forgery){0xFF, mine->scp, own_i});
    /* It was the client that lied: the card is as good as before. */
    struct bench_result r = bench_run(&t->b, "install", NULL);
    if (r.outcome != OUTCOME_CONFIRMED && r.outcome != OUTCOME_REPORTED)
        fail_msg("%s, then the truth: %s", row_of(t), r.detail);
    bench_close(&t->b);
}

static void no_lie_about_the_method_is_believed(void **state)
{
    (void)state;
    for_every_row(tell_lies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_key_fails_closed),
        cmocka_unit_test(another_key_version_fails_closed),
        cmocka_unit_test(certificates_have_their_time),
        cmocka_unit_test(no_lie_about_the_method_is_believed),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
