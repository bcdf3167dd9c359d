/* SPDX-License-Identifier: Apache-2.0
 *
 * Both halves of the secure channels meet: the host's side of lib/gp, written apart, speaks to this card with
 * every method that both know, at every level, with commands and responses of every shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <gp/channel.h>
#include <support/vectors.h>

#include "testing/host.h"

static struct crypto *crypto;

static int setup(void **state)
{
    (void)state;
    return crypto_new(&crypto) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    crypto_free(&crypto);
    vectors_free();
    return 0;
}

/* One method at one level. */
struct meeting {
    const struct channel_method *method;
    uint8_t level;
    enum key_type type;
    unsigned key_bits;
    struct host *card;
    struct channel *channel;
    char name[64];
};

static void set_key(struct secret *key, uint8_t first, size_t len)
{
    key->len = len;
    memset(key->data, first, len);
}

/* The keys of the testing card, in the length wanted. */
static void give_keys(struct meeting *m, struct card_keys *keys)
{
    struct card_keyset *k = &m->card->card.state.keysets[0];
    size_t len = m->key_bits / 8u;
    k->scp = m->method->scp;
    k->i = m->method->i;
    keys->type = m->type;
    set_key(&keys->enc, 0x40, len);
    /* GPCS 2.3.1 table E-1: with one base key the three are the same. */
    bool one = m->method->scp == 0x02 && (m->method->i & 0x01) == 0;
    set_key(&keys->mac, one ? 0x40 : 0x41, len);
    set_key(&keys->dek, one ? 0x40 : 0x42, len);
    k->enc = keys->enc;
    k->mac = keys->mac;
    k->dek = keys->dek;
}

static struct view send(struct meeting *m, const struct apdu *a)
{
    struct writer w;
    wr_heap(&w, CAPDU_MAX);
    apdu_put(&w, a);
    assert_true(wr_ok(&w));
    host_send(m->card, wr_view_of(&w));
    wr_free(&w);
    return wr_view_of(&m->card->answer);
}

/* The opening as the method has it: INITIALIZE UPDATE, or with implicit initiation only a look at the
 * sequence counter. */
static void open_channel(struct meeting *m, const struct card_keys *card_keys)
{
    struct channel_keys keys = {.card = card_keys};
    struct channel_request request = {
        .method = m->method, .level = m->level, .aid = card_aid_view(&m->card->card.state.profile.isd)};
    struct channel_opening opening;
    struct rapdu answers[OPENING_COMMANDS_MAX];
    struct writer bytes;
    wr_heap(&bytes, OPENING_BYTES_MAX);
    assert_int_equal(channel_begin(&opening, crypto, crypto_random(), &request, &keys), OK);
    for (size_t n = 0; n < opening.count; n++) {
        struct view answer = send(m, &opening.commands[n]);
        size_t at = bytes.len;
        wr_view(&bytes, answer);
        assert_int_equal(rapdu_parse(view_tail(wr_view_of(&bytes), at), &answers[n]), OK);
        if (n != 0)
            fail_msg("%s: an opening of one command was expected", m->name);
    }
    enum err e = channel_accept(&m->channel, crypto, &opening, &keys, answers, opening.count);
    if (e != OK)
        fail_msg("%s: the host does not know the card: %s", m->name, err_name(e));
    channel_opening_finish(&opening);
    wr_free(&bytes);
}

static void begin(struct meeting *m)
{
    struct card_keys keys = {0};
    bool proven = false;
    uint16_t sw = 0;
    struct writer w, plain;
    give_keys(m, &keys);
    open_channel(m, &keys);
    card_keys_wipe(&keys);
    if (!m->method->authenticates)
        return;
    wr_heap(&w, 512);
    wr_heap(&plain, 512);
    assert_int_equal(channel_external_authenticate(m->channel, crypto, &w), OK);
    host_send(m->card, wr_view_of(&w));
    enum err e = channel_unwrap(m->channel, crypto, wr_view_of(&m->card->answer), &plain, &sw, &proven);
    if (e != OK || sw != SW_OK)
        fail_msg("%s: EXTERNAL AUTHENTICATE %04X", m->name, sw);
    wr_free(&w);
    wr_free(&plain);
}

/* One command there and back; the plain response data stays in out. */
static uint16_t exchange(struct meeting *m, const struct apdu *plain, struct writer *out)
{
    struct writer storage;
    struct apdu wrapped;
    uint16_t sw = 0;
    bool proven = false;
    wr_heap(&storage, channel_wrapped_max(plain, 1));
    if (channel_wrap(m->channel, crypto, plain, 1, &wrapped, &storage) != OK)
        fail_msg("%s: wrap", m->name);
    struct view answer = send(m, &wrapped);
    enum err e = channel_unwrap(m->channel, crypto, answer, out, &sw, &proven);
    if (e != OK)
        fail_msg("%s: the answer to %02X %02X %02X (%04X) is not accepted: %s", m->name, plain->ins,
                 plain->p1, plain->p2, m->card->sw, err_name(e));
    /* A result is proven where the level has response MACs and the protocol gives one with this status. */
    bool due = (m->level & LEVEL_R_MAC) && sw_is_ok_or_warning(sw);
    if (due && !proven)
        fail_msg("%s: %02X is not proven", m->name, plain->ins);
    wr_free(&storage);
    return sw;
}

/* Shapes: with and without data and response, warnings, errors, everything up to the longest. */
static const struct {
    const char *command;
    uint16_t sw;
    size_t least; /* bytes of response data */
} shapes[] = {{"80F28002024F0000", SW_OK, 20},
              {"80CA9F7F00", SW_OK, 45},
              {"80CA006600", SW_OK, 40},
              {"80CA123400", SW_REFERENCED_DATA, 0},
              {"80F24002024F0000", SW_REFERENCED_DATA, 0},
              {"80E40000074F05F00000000900", SW_REFERENCED_DATA, 0},
              {"80F08007", SW_OK, 0},
              {"80F08007", SW_CONDITIONS, 0},
              {"80E602000A05F0000000010000000000", SW_OK, 1},
              {"80E290000442021234", SW_OK, 0},
              {"80CA004200", SW_OK, 4}};

static void talk(struct meeting *m)
{
    for (size_t n = 0; n < sizeof shapes / sizeof shapes[0]; n++) {
        struct apdu a;
        struct writer out;
        assert_int_equal(apdu_parse(vector_hex(shapes[n].command), &a), OK);
        wr_heap(&out, RAPDU_MAX);
        uint16_t sw = exchange(m, &a, &out);
        if (sw != shapes[n].sw || out.len < shapes[n].least)
            fail_msg("%s: %s answered %04X with %zu bytes", m->name, shapes[n].command, sw, out.len);
        wr_free(&out);
    }
}

/* Data of every length that fits, as an object of the security domain that is read back. */
static void lengths(struct meeting *m)
{
    size_t most = channel_block_size(m->method, m->level);
    uint8_t value[256];
    for (size_t n = 0; n < sizeof value; n++)
        value[n] = (uint8_t)n;
    for (size_t len = 1; len + 3 <= most; len++) {
        struct writer data, out;
        wr_heap(&data, 300);
        wr_heap(&out, RAPDU_MAX);
        wr_u8(&data, 0x45);
        if (len > 127)
            wr_u8(&data, 0x81);
        wr_u8(&data, (uint8_t)len);
        wr_bytes(&data, value, len);
        struct apdu store = {.cla = 0x80, .ins = 0xE2, .p1 = 0x90, .data = wr_view_of(&data)};
        struct apdu get = {.cla = 0x80, .ins = 0xCA, .p2 = 0x45, .ne = 256};
        if (exchange(m, &store, &out) != SW_OK)
            fail_msg("%s: %zu bytes", m->name, len);
        /* What does not fit one short response with its MAC is not asked for. */
        if (len <= 200 &&
            (exchange(m, &get, &out) != SW_OK || !view_equal(wr_view_of(&out), wr_view_of(&data))))
            fail_msg("%s: %zu bytes back", m->name, len);
        wr_free(&data);
        wr_free(&out);
    }
}

/* A long LOAD: Lc of three bytes is part of the MAC. */
static void extended_length(struct meeting *m)
{
    uint8_t block[1000] = {0xC4, 0x82, 0xFF, 0xFF};
    struct apdu install,
        load = {.cla = 0x80, .ins = 0xE8, .data = VIEW_OF(block), .ne = 256, .extended = true};
    struct writer out;
    if (m->card->card.state.profile.flags & CARD_SHORT_ONLY)
        return;
    assert_int_equal(apdu_parse(vector_hex("80E602000A05F0000000010000000000"), &install), OK);
    wr_heap(&out, RAPDU_MAX);
    assert_int_equal(exchange(m, &install, &out), SW_OK);
    if (exchange(m, &load, &out) != SW_OK || out.len != 2)
        fail_msg("%s: extended length", m->name);
    wr_free(&out);
}

static void meet(const struct channel_method *method, uint8_t level, enum key_type type, unsigned key_bits)
{
    struct meeting m = {.method = method, .level = level, .type = type, .key_bits = key_bits};
    snprintf(m.name, sizeof m.name, "%s i=%02X level %02X, %u bits", method->name, method->i, level,
             key_bits);
    m.card = calloc(1, sizeof *m.card);
    assert_non_null(m.card);
    assert_int_equal(host_init(m.card, crypto, method->scp == 0x03 ? "modern" : "classic", 0xFF), OK);
    begin(&m);
    talk(&m);
    lengths(&m);
    extended_length(&m);
    channel_free(&m.channel);
    host_finish(m.card);
    free(m.card);
}

static size_t meet_with_all_keys(const struct channel_method *method, uint8_t level)
{
    static const enum key_type types[] = {KEY_DES, KEY_DES3, KEY_AES};
    size_t met = 0;
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        for (unsigned bits = 64; bits <= 256; bits += 64) {
            bool triple = types[t] == KEY_DES3 && bits == 192; /* no secure channel has them */
            if (triple || !channel_keys_fit(method, types[t], bits / 8))
                continue;
            meet(method, level, types[t], bits);
            met++;
        }
    }
    return met;
}

static void every_method_at_every_level(void **state)
{
    static const uint8_t levels[] = {0x01, 0x03, 0x10, 0x11, 0x13, 0x33};
    size_t count = 0, met = 0;
    const struct channel_method *methods = channel_methods(&count);
    (void)state;
    for (size_t n = 0; n < count; n++) {
        const struct card_channel_ops *ops = card_channel_ops(methods[n].scp);
        bool symmetric = methods[n].key_type == KEY_DES3 || methods[n].key_type == KEY_AES;
        if (!symmetric || methods[n].keyed_opening)
            continue;
        if (ops == NULL || !ops->knows_i(methods[n].i))
            fail_msg("%s i=%02X: the card does not know it", methods[n].name, methods[n].i);
        for (size_t l = 0; l < sizeof levels; l++) {
            bool host = channel_level_ok(&methods[n], levels[l]);
            bool card = ops->allows_level(methods[n].i, levels[l]);
            if (host != card && levels[l] != 0x10)
                fail_msg("%s i=%02X level %02X: one half knows it", methods[n].name, methods[n].i, levels[l]);
            if (host && card)
                met += meet_with_all_keys(&methods[n], levels[l]);
        }
    }
    assert_true(met >= 180);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_method_at_every_level)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
