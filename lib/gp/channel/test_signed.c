/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed commands against a card that is written here from docs/signed-commands.md: it must take what the
 * host signs, refuse it when a byte, a place or a number is different, and its answers must be taken only as
 * they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <support/vectors.h>

#include "channel_internal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { VARIANTS = 5, WIRE_MAX = 4096, KVN = 0x31 };

static const uint8_t kdd[KDD_LEN] = {0xA, 0xB, 0xC, 4, 5, 6, 7, 8, 9, 10};

static int setup(void **state)
{
    return crypto_new((struct crypto **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    crypto_free((struct crypto **)state);
    vectors_free();
    return 0;
}

/* ---- keys ---- */

static const struct row {
    uint8_t i;
    enum pk_scheme scheme;
    enum digest digest;
    size_t signature, key;
    uint8_t levels[6];
} rows[VARIANTS] = {
    {1, PK_RSA_PSS, DIGEST_SHA256, 256, 16, {0x01, 0x11, 0x03, 0x13, 0x33}},
    {2, PK_RSA_PSS, DIGEST_SHA256, 384, 16, {0x01, 0x11, 0x03, 0x13, 0x33}},
    {3, PK_DSA_PLAIN, DIGEST_SHA256, 64, 0, {0x01, 0x11}},
    {4, PK_ECDSA_PLAIN, DIGEST_SHA256, 64, 16, {0x01, 0x11, 0x03, 0x13, 0x33}},
    {5, PK_ECDSA_PLAIN, DIGEST_SHA384, 96, 32, {0x01, 0x11, 0x03, 0x13, 0x33}},
};

static struct pk *key_of(uint8_t i, const char *whose, bool is_private)
{
    const json_t *row = json_array_get(vectors_load("signed/keys.json"), i - 1u);
    struct pk *k = NULL;
    assert_int_equal(is_private ? pk_from_pkcs8(vector_bytes(row, whose), &k)
                                : pk_from_spki(vector_bytes(row, whose), &k),
                     OK);
    return k;
}

static void put_padded(struct writer *w, const uint8_t *bytes, size_t len, size_t want)
{
    for (; len < want; want--)
        wr_u8(w, 0);
    wr_bytes(w, bytes, len);
}

/* The fingerprint of a public key. */
static void fingerprint(struct crypto *c, const struct row *row, const struct pk *k, uint8_t *out)
{
    uint8_t memory[4][512], image_bytes[1200];
    struct writer w[4], image;
    wr_fixed(&image, image_bytes, sizeof(image_bytes));
    for (size_t n = 0; n < 4; n++)
        wr_fixed(&w[n], memory[n], sizeof(memory[n]));
    if (row->scheme == PK_RSA_PSS) {
        assert_int_equal(pk_put_rsa(k, &w[0], &w[1]), OK);
        wr_view(&image, wr_view_of(&w[0]));
        wr_view(&image, wr_view_of(&w[1]));
    } else if (row->scheme == PK_DSA_PLAIN) {
        assert_int_equal(pk_put_dsa(k, &(struct pk_dsa_writers){&w[0], &w[1], &w[2], &w[3]}), OK);
        for (size_t n = 0; n < 4; n++)
            put_padded(&image, w[n].data, w[n].len, n == 1 ? 32 : 256);
    } else {
        assert_int_equal(pk_put_point(k, &image), OK);
    }
    const struct view part = wr_view_of(&image);
    assert_int_equal(crypto_digest(c, row->digest, &part, 1, out), OK);
}

/* ---- the card ---- */

struct card {
    struct crypto *crypto;
    const struct row *row;
    struct pk *own, *server;
    uint8_t d[DIGEST_MAX];
    uint32_t n;
    uint8_t level;
    struct secret enc, rmac, dek;
};

static void card_init(struct card *card, struct crypto *c, const struct row *row)
{
    *card = (struct card){.crypto = c, .row = row};
    card->own = key_of(row->i, "card", true);
    card->server = key_of(row->i, "server_public", false);
}

static void card_finish(struct card *card)
{
    pk_free(&card->own);
    pk_free(&card->server);
}

static void card_hash(const struct card *card, struct view message, uint8_t *out)
{
    assert_int_equal(crypto_digest(card->crypto, card->row->digest, &message, 1, out), OK);
}

/* kdd | kvn | F0 | i | card challenge | S1 */
static void card_initialize_update(struct card *card, struct view host_challenge, struct writer *answer)
{
    uint8_t m1_bytes[400], f[DIGEST_MAX], challenge[16];
    const size_t len = crypto_digest_len(card->row->digest);
    struct writer m1;
    assert_int_equal(crypto_random().fill(crypto_random().ctx, challenge, 16), OK);
    wr_fixed(&m1, m1_bytes, sizeof(m1_bytes));
    wr_bytes(&m1, "FERRY-F0\1", 9);
    wr_u8(&m1, card->row->i);
    wr_u8(&m1, KVN);
    fingerprint(card->crypto, card->row, card->server, f);
    wr_bytes(&m1, f, len);
    fingerprint(card->crypto, card->row, card->own, f);
    wr_bytes(&m1, f, len);
    wr_view(&m1, VIEW_OF(kdd));
    wr_view(&m1, host_challenge);
    wr_view(&m1, VIEW_OF(challenge));
    const struct view message = wr_view_of(&m1);
    wr_view(answer, VIEW_OF(kdd));
    wr_u8(answer, KVN);
    wr_u8(answer, 0xF0);
    wr_u8(answer, card->row->i);
    wr_view(answer, VIEW_OF(challenge));
    assert_int_equal(
        pk_sign(card->crypto, card->own, card->row->scheme, card->row->digest, &message, 1, answer), OK);
    card_hash(card, message, card->d);
    card->n = 0;
}

/* Verifies and advances: false when the signature is not the server's over just this. */
static bool card_verifies(struct card *card, const struct apdu *a, struct view *data)
{
    uint8_t memory[WIRE_MAX];
    struct writer m;
    struct reader r;
    if (a->data.len < card->row->signature)
        return false;
    rd_init(&r, a->data);
    *data = rd_view(&r, a->data.len - card->row->signature);
    wr_fixed(&m, memory, sizeof(memory));
    wr_bytes(&m, "FERRY-F0\2", 9);
    wr_bytes(&m, card->d, crypto_digest_len(card->row->digest));
    wr_u32(&m, card->n);
    wr_u8(&m, (a->cla & 0x40) != 0 ? (a->cla & 0x90) | 0x04 : (a->cla & 0xF0) | 0x04);
    wr_u8(&m, a->ins);
    wr_u8(&m, a->p1);
    wr_u8(&m, a->p2);
    wr_u16(&m, (uint16_t)data->len);
    wr_view(&m, *data);
    const struct view message = wr_view_of(&m);
    if (pk_verify(card->crypto, card->server, card->row->scheme, card->row->digest, &message, 1,
                  rd_rest(&r)) != OK)
        return false;
    card_hash(card, message, card->d);
    card->n++;
    return true;
}

/* Z out of the key field, and the three keys. */
static void card_takes_key(struct card *card, struct view field)
{
    struct reader r;
    struct secret z = {0};
    uint8_t made[96 + 64], info[9 + DIGEST_MAX], block[DIGEST_MAX];
    const size_t len = crypto_digest_len(card->row->digest);
    struct writer w;
    rd_init(&r, field);
    const size_t key = rd_u8(&r);
    if (card->row->scheme == PK_RSA_PSS) {
        assert_int_equal(pk_oaep_decrypt(card->crypto, card->own, DIGEST_SHA256, rd_rest(&r), &z), OK);
        assert_int_equal(z.len, 32);
    } else {
        struct pk *ephemeral = NULL;
        assert_int_equal(pk_ec_public(pk_ec_curve(card->own), rd_rest(&r), &ephemeral), OK);
        assert_int_equal(pk_ecdh(card->crypto, card->own, ephemeral, &z), OK);
        pk_free(&ephemeral);
    }
    wr_fixed(&w, info, sizeof(info));
    wr_bytes(&w, "FERRY-F0\3", 9);
    wr_bytes(&w, card->d, len);
    for (uint8_t n = 0; n * len < 3 * key; n++) {
        const uint8_t counter[4] = {0, 0, 0, n + 1};
        const struct view parts[] = {secret_view(&z), VIEW_OF(counter), wr_view_of(&w)};
        assert_int_equal(crypto_digest(card->crypto, card->row->digest, parts, 3, block), OK);
        memcpy(made + n * len, block, len);
    }
    assert_int_equal(secret_set(&card->enc, view_of(made, key)), OK);
    assert_int_equal(secret_set(&card->rmac, view_of(made + key, key)), OK);
    assert_int_equal(secret_set(&card->dek, view_of(made + 2 * key, key)), OK);
}

/* EXTERNAL AUTHENTICATE as it came over the wire. */
static void card_authenticate(struct card *card, struct view wire)
{
    struct apdu a;
    struct view field;
    assert_int_equal(apdu_parse(wire, &a), OK);
    assert_int_equal(a.cla, 0x84);
    assert_int_equal(a.ins, 0x82);
    assert_int_equal(a.p2, 0x00);
    assert_true(card_verifies(card, &a, &field));
    card->level = a.p1;
    if ((card->level & 0x02) != 0)
        card_takes_key(card, field);
    else
        assert_int_equal(field.len, 0);
}

static void counter_block(const struct card *card, uint8_t first, uint32_t n, uint8_t icv[16])
{
    struct writer w;
    wr_fixed(&w, icv, 16);
    wr_u8(&w, first);
    for (int i = 0; i < 11; i++)
        wr_u8(&w, 0);
    wr_u32(&w, n);
    assert_int_equal(crypto_aes_ecb_encrypt(card->crypto, secret_view(&card->enc), view_of(icv, 16), icv),
                     OK);
}

/* A command of the open session: its plain data, or false. */
static bool card_command(struct card *card, const struct apdu *a, uint8_t *plain, size_t *len)
{
    struct view data;
    uint8_t icv[16];
    if (!card_verifies(card, a, &data))
        return false;
    *len = data.len;
    if (data.len == 0)
        return true;
    memcpy(plain, data.data, data.len);
    if ((card->level & 0x02) == 0)
        return true;
    counter_block(card, 0, card->n - 1, icv);
    assert_int_equal(data.len % 16, 0);
    assert_int_equal(crypto_aes_cbc_decrypt(card->crypto, secret_view(&card->enc), icv, data, plain), OK);
    while (plain[*len - 1] == 0)
        (*len)--;
    assert_int_equal(plain[--*len], 0x80);
    return true;
}

/* The answer to the last command. */
static void card_answers(struct card *card, struct view data, uint16_t sw, struct writer *out)
{
    uint8_t memory[WIRE_MAX], mac[CMAC_LEN], icv[16];
    struct writer r, encrypted;
    bool success = sw == 0x9000 || sw >> 8 == 0x62 || sw >> 8 == 0x63;
    wr_heap(&encrypted, WIRE_MAX);
    if (card->level == 0x33 && data.len > 0) {
        wr_view(&encrypted, data);
        channel_pad(&encrypted, 16);
        counter_block(card, 0x80, card->n - 1, icv);
        data = wr_view_of(&encrypted);
        assert_int_equal(
            crypto_aes_cbc_encrypt(card->crypto, secret_view(&card->enc), icv, data, encrypted.data), OK);
    }
    wr_fixed(&r, memory, sizeof(memory));
    wr_bytes(&r, "FERRY-F0\4", 9);
    wr_bytes(&r, card->d, crypto_digest_len(card->row->digest));
    wr_u16(&r, sw);
    wr_u16(&r, (uint16_t)data.len);
    wr_view(&r, data);
    const struct view message = wr_view_of(&r);
    wr_view(out, data);
    if ((card->level & 0x12) == 0x10 && success)
        assert_int_equal(
            pk_sign(card->crypto, card->own, card->row->scheme, card->row->digest, &message, 1, out), OK);
    if ((card->level & 0x12) == 0x12 && success) {
        assert_int_equal(crypto_cmac(card->crypto, secret_view(&card->rmac), &message, 1, mac), OK);
        wr_view(out, VIEW_OF(mac));
    }
    wr_u16(out, sw);
    wr_free(&encrypted);
}

/* ---- both ---- */

struct session {
    struct crypto *crypto;
    struct card card;
    struct pk *host, *peer;
    struct channel_request request;
    struct channel_keys keys;
    struct channel_opening o;
    struct channel *ch;
    struct writer wire;
};

static void init_session(struct session *s, struct crypto *c, const struct row *row, uint8_t level)
{
    *s = (struct session){.crypto = c};
    card_init(&s->card, c, row);
    s->host = key_of(row->i, "server", true);
    s->peer = key_of(row->i, "card_public", false);
    s->request =
        (struct channel_request){.method = channel_method(SCP_SIGNED, row->i), .level = level, .kvn = KVN};
    s->keys = (struct channel_keys){.host = s->host, .peer = s->peer};
    wr_heap(&s->wire, WIRE_MAX);
    assert_int_equal(channel_begin(&s->o, c, crypto_random(), &s->request, NULL), OK);
}

static void finish_session(struct session *s)
{
    channel_free(&s->ch);
    channel_opening_finish(&s->o);
    card_finish(&s->card);
    pk_free(&s->host);
    pk_free(&s->peer);
    wr_free(&s->wire);
}

static enum err accept(struct session *s, struct view data, uint16_t sw)
{
    const struct rapdu answer = {data, sw};
    channel_free(&s->ch);
    enum err e = channel_accept(&s->ch, s->crypto, &s->o, &s->keys, &answer, 1);
    assert_int_equal(e == OK, s->ch != NULL);
    return e;
}

static void open_session(struct session *s, struct crypto *c, const struct row *row, uint8_t level)
{
    static const uint8_t ok[] = {0x90, 0x00};
    uint16_t sw = 0;
    bool proven = true;
    init_session(s, c, row, level);
    card_initialize_update(&s->card, s->o.commands[0].data, &s->wire);
    assert_int_equal(accept(s, wr_view_of(&s->wire), SW_OK), OK);
    wr_clear(&s->wire);
    assert_int_equal(channel_external_authenticate(s->ch, c, &s->wire), OK);
    assert_in_range(s->wire.len, 1, EXTERNAL_AUTHENTICATE_MAX);
    card_authenticate(&s->card, wr_view_of(&s->wire));
    wr_clear(&s->wire);
    assert_int_equal(channel_unwrap(s->ch, c, VIEW_OF(ok), &s->wire, &sw, &proven), OK);
    assert_int_equal(sw, SW_OK);
    assert_false(proven);
}

static const uint8_t some[600] = {0x4F, 0x07, 0xD0, 0x80, 0, 0, [100] = 1, [599] = 2};

static const struct apdu commands[] = {
    {.cla = 0x80, .ins = 0xF2, .p1 = 0x80, .p2 = 0x02, .ne = 256},
    {.cla = 0x80, .ins = 0xE4, .data = {some, 1}},
    {.cla = 0x82, .ins = 0xE6, .p1 = 0x02, .data = {some, 15}, .ne = 256},
    {.cla = 0x90, .ins = 0xD8, .data = {some, 16}},
    {.cla = 0xC3, .ins = 0xE8, .p1 = 0x80, .p2 = 7, .data = {some, 140}},
    {.cla = 0x80, .ins = 0xE2, .data = {some, 600}, .extended = true},
};

static enum err wrap(struct session *s, const struct apdu *plain, size_t count, struct apdu *wrapped,
                     struct writer *storage)
{
    wr_heap(storage, channel_wrapped_max(plain, count));
    return channel_wrap(s->ch, s->crypto, plain, count, wrapped, storage);
}

static void took(const struct apdu *plain, const uint8_t *got, size_t len)
{
    assert_int_equal(len, plain->data.len);
    if (len > 0)
        assert_memory_equal(got, plain->data.data, len);
}

/* All in one call, then one by one with answers. */
static void whole_sessions(void **state)
{
    static const uint8_t answer_data[] = {0xE3, 0x0A, 0x4F, 0x00, 0x80, 0x00};
    for (size_t n = 0; n < VARIANTS; n++) {
        for (const uint8_t *level = rows[n].levels; *level != 0; level++) {
            struct session s;
            struct apdu wrapped[COUNT(commands)];
            struct writer storage, out;
            uint8_t plain[WIRE_MAX];
            size_t len = 0;
            open_session(&s, *state, &rows[n], *level);
            assert_int_equal(wrap(&s, commands, COUNT(commands), wrapped, &storage), OK);
            for (size_t k = 0; k < COUNT(commands); k++) {
                assert_true(card_command(&s.card, &wrapped[k], plain, &len));
                took(&commands[k], plain, len);
                assert_int_equal(wrapped[k].extended, rows[n].i <= 2 || commands[k].extended);
            }
            wr_free(&storage);
            wr_heap(&out, WIRE_MAX);
            for (size_t k = 0; k < COUNT(commands); k++) {
                const struct view data = view_head(VIEW_OF(answer_data), k);
                uint16_t sw = 0, given = k == 3 ? 0x6310 : 0x9000;
                bool proven = false;
                assert_int_equal(wrap(&s, &commands[k], 1, wrapped, &storage), OK);
                assert_true(card_command(&s.card, &wrapped[0], plain, &len));
                took(&commands[k], plain, len);
                wr_clear(&s.wire);
                wr_clear(&out);
                card_answers(&s.card, data, given, &s.wire);
                assert_int_equal(channel_unwrap(s.ch, s.crypto, wr_view_of(&s.wire), &out, &sw, &proven), OK);
                assert_true(view_equal(wr_view_of(&out), data));
                assert_int_equal(sw, given);
                assert_int_equal(proven, (*level & 0x10) != 0);
                wr_free(&storage);
            }
            wr_free(&out);
            finish_session(&s);
        }
    }
}

static void initialize_update_commands(void **state)
{
    for (size_t n = 0; n < VARIANTS; n++) {
        struct session s;
        struct writer w;
        init_session(&s, *state, &rows[n], 0x01);
        wr_heap(&w, 64);
        assert_int_equal(s.o.count, 1);
        apdu_put(&w, &s.o.commands[0]);
        bool extended = rows[n].i <= 2;
        assert_true(view_starts(wr_view_of(&w), vector_hex(extended ? "80503100000010" : "8050310010")));
        assert_int_equal(w.len, extended ? 7 + 16 + 2 : 5 + 16 + 1);
        wr_free(&w);
        finish_session(&s);
    }
}

/* Every byte of the card's answer is either compared or signed. */
static void answers_of_others(void **state)
{
    for (size_t n = 0; n < VARIANTS; n++) {
        struct session s;
        init_session(&s, *state, &rows[n], 0x01);
        card_initialize_update(&s.card, s.o.commands[0].data, &s.wire);
        for (size_t at = 0; at < s.wire.len; at += at < 40 || n == 3 ? 1 : 17) {
            s.wire.data[at] ^= (uint8_t)(1u << at % 8);
            enum err e = accept(&s, wr_view_of(&s.wire), SW_OK);
            if (e != (at == 11 ? ERR_UNSUPPORTED : ERR_AUTH))
                fail_msg("i=%02X byte %zu: %s", rows[n].i, at, err_name(e));
            s.wire.data[at] ^= (uint8_t)(1u << at % 8);
        }
        assert_int_equal(accept(&s, wr_view_of(&s.wire), SW_OK), OK);
        assert_int_equal(accept(&s, view_head(wr_view_of(&s.wire), s.wire.len - 1), SW_OK), ERR_FORMAT);
        assert_int_equal(accept(&s, VIEW_NULL, SW_OK), ERR_FORMAT);
        /* Another key version than the one that was asked for; any, when none was. */
        s.o.request.kvn = 0x32;
        assert_int_equal(accept(&s, wr_view_of(&s.wire), SW_OK), ERR_AUTH);
        s.o.request.kvn = 0;
        assert_int_equal(accept(&s, wr_view_of(&s.wire), SW_OK), OK);
        /* The answer to another challenge; of another card; for another server. */
        wr_clear(&s.wire);
        card_initialize_update(&s.card, view_of(some, 16), &s.wire);
        assert_int_equal(accept(&s, wr_view_of(&s.wire), SW_OK), ERR_AUTH);
        wr_clear(&s.wire);
        card_initialize_update(&s.card, s.o.commands[0].data, &s.wire);
        s.keys.peer = s.host;
        assert_int_equal(accept(&s, wr_view_of(&s.wire), SW_OK), ERR_AUTH);
        s.keys.peer = s.peer;
        s.keys.host = s.card.own;
        assert_int_equal(accept(&s, wr_view_of(&s.wire), SW_OK), ERR_AUTH);
        finish_session(&s);
    }
}

static void refusals(void **state)
{
    for (size_t n = 0; n < VARIANTS; n++) {
        struct session s;
        init_session(&s, *state, &rows[n], 0x01);
        bool extended = channel_extended_reason(s.request.method) != NULL;
        assert_int_equal(extended, rows[n].i <= 2);
        assert_int_equal(accept(&s, VIEW_NULL, 0x6700), extended ? ERR_UNSUPPORTED : ERR_STATE);
        assert_int_equal(accept(&s, VIEW_NULL, 0x6A88), ERR_STATE);
        assert_int_equal(channel_block_size(s.request.method, 0x01), extended ? 0 : 255 - rows[n].signature);
        finish_session(&s);
    }
    assert_int_equal(channel_block_size(channel_method(SCP_SIGNED, 4), 0x03), 175);
    assert_int_equal(channel_block_size(channel_method(SCP_SIGNED, 5), 0x03), 143);
}

static void keys_that_do_not_fit(void **state)
{
    struct pk *server4 = key_of(4, "server", true), *public4 = key_of(4, "server_public", false);
    struct pk *server5 = key_of(5, "server", true), *card4 = key_of(4, "card_public", false);
    const struct {
        const char *name;
        struct pk *host, *peer;
        uint8_t key_len;
        enum err want;
    } tries[] = {
        {"right", server4, card4, 0, OK},
        {"right, AES-256", server4, card4, 32, OK},
        {"no host", NULL, card4, 0, ERR_ARGUMENT},
        {"no peer", server4, NULL, 0, ERR_ARGUMENT},
        {"public", public4, card4, 0, ERR_ARGUMENT},
        {"other curve", server5, card4, 0, ERR_ARGUMENT},
        {"other curve of the card", server4, server5, 0, ERR_ARGUMENT},
        {"key length", server4, card4, 20, ERR_ARGUMENT},
    };
    struct session s;
    init_session(&s, *state, &rows[3], 0x13);
    card_initialize_update(&s.card, s.o.commands[0].data, &s.wire);
    for (size_t n = 0; n < COUNT(tries); n++) {
        s.keys.host = tries[n].host;
        s.keys.peer = tries[n].peer;
        s.o.request.session_key_len = tries[n].key_len;
        enum err e = accept(&s, wr_view_of(&s.wire), SW_OK);
        if (e != tries[n].want)
            fail_msg("%s: %s", tries[n].name, err_name(e));
        if (e == OK)
            assert_int_equal(s.ch->enc.len, tries[n].key_len != 0 ? tries[n].key_len : 16);
    }
    s.request.method = channel_method(SCP_SIGNED, 3);
    struct channel_opening o;
    assert_int_equal(channel_begin(&o, *state, crypto_random(), &s.request, NULL), ERR_UNSUPPORTED);
    finish_session(&s);
    pk_free(&server4);
    pk_free(&public4);
    pk_free(&server5);
    pk_free(&card4);
}

/* What the card refuses: the signature holds everything that matters. */
static void changed_commands(void **state)
{
    static const uint8_t levels[] = {0x01, 0x03};
    for (size_t n = 0; n < COUNT(levels); n++) {
        struct session s;
        struct apdu wrapped[3];
        struct writer storage;
        uint8_t plain[WIRE_MAX];
        size_t len;
        open_session(&s, *state, &rows[3], levels[n]);
        assert_int_equal(wrap(&s, &commands[1], 3, wrapped, &storage), OK);
        struct card *card = &s.card;
        const uint8_t bits[][4] = {
            {0x10, 0, 0, 0}, {0x80, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
        for (size_t k = 0; k < COUNT(bits); k++) {
            struct apdu a = wrapped[0];
            a.cla ^= bits[k][0];
            a.ins ^= bits[k][1];
            a.p1 ^= bits[k][2];
            a.p2 ^= bits[k][3];
            assert_false(card_command(card, &a, plain, &len));
        }
        for (size_t at = 0; at < wrapped[0].data.len; at++) {
            memcpy(plain, wrapped[0].data.data, wrapped[0].data.len);
            plain[at] ^= (uint8_t)(1u << at % 8);
            struct apdu a = wrapped[0];
            a.data.data = plain;
            uint8_t out[WIRE_MAX];
            assert_false(card_command(card, &a, out, &len));
        }
        assert_false(card_command(card, &wrapped[1], plain, &len)); /* the first one dropped */
        assert_true(card_command(card, &wrapped[0], plain, &len));
        assert_false(card_command(card, &wrapped[0], plain, &len)); /* twice */
        assert_false(card_command(card, &wrapped[2], plain, &len)); /* reordered */
        assert_true(card_command(card, &wrapped[1], plain, &len));
        assert_true(card_command(card, &wrapped[2], plain, &len));
        wr_free(&storage);
        finish_session(&s);
    }
}

static enum err unwrap(struct session *s, struct view wire)
{
    struct channel *copy = NULL;
    struct writer out;
    uint16_t sw = 0;
    bool proven = false;
    wr_heap(&out, WIRE_MAX);
    assert_int_equal(channel_copy(&copy, s->ch), OK);
    enum err e = channel_unwrap(copy, s->crypto, wire, &out, &sw, &proven);
    if (e != OK)
        assert_true(out.len == 0 && sw == 0 && !proven);
    if (e == ERR_AUTH)
        assert_int_equal(channel_unwrap(copy, s->crypto, wire, &out, &sw, &proven), ERR_STATE);
    channel_free(&copy);
    wr_free(&out);
    return e;
}

static void changed_answers(void **state)
{
    static const uint8_t levels[] = {0x11, 0x13, 0x33};
    for (size_t n = 0; n < COUNT(levels); n++) {
        struct session s;
        struct apdu wrapped;
        struct writer storage, early;
        uint8_t plain[WIRE_MAX];
        size_t len;
        open_session(&s, *state, &rows[3], levels[n]);
        wr_heap(&early, WIRE_MAX);
        card_answers(&s.card, view_of(some, 5), 0x9000, &early);
        assert_int_equal(wrap(&s, &commands[1], 1, &wrapped, &storage), OK);
        assert_int_equal(wrapped.ne, 256); /* though the plain command has none */
        assert_true(card_command(&s.card, &wrapped, plain, &len));
        card_answers(&s.card, view_of(some, 5), 0x9000, &s.wire);
        for (size_t at = 0; at + 2 < s.wire.len; at++) {
            s.wire.data[at] ^= (uint8_t)(1u << at % 8);
            assert_int_equal(unwrap(&s, wr_view_of(&s.wire)), ERR_AUTH);
            s.wire.data[at] ^= (uint8_t)(1u << at % 8);
        }
        s.wire.data[s.wire.len - 1] = 0x10; /* 9010 is no success, and has data */
        assert_int_equal(unwrap(&s, wr_view_of(&s.wire)), ERR_AUTH);
        s.wire.data[s.wire.len - 2] = 0x63; /* 6310 */
        assert_int_equal(unwrap(&s, wr_view_of(&s.wire)), ERR_AUTH);
        s.wire.data[s.wire.len - 2] = 0x90;
        s.wire.data[s.wire.len - 1] = 0x00;
        assert_int_equal(unwrap(&s, wr_view_of(&s.wire)), OK);
        assert_int_equal(unwrap(&s, wr_view_of(&early)), ERR_AUTH); /* to another command */
        assert_int_equal(unwrap(&s, vector_hex("9000")), ERR_AUTH);
        assert_int_equal(unwrap(&s, vector_hex("6A80")), OK);
        assert_int_equal(unwrap(&s, vector_hex("006A80")), ERR_AUTH);
        wr_free(&early);
        wr_free(&storage);
        finish_session(&s);
    }
}

static void what_fits(void **state)
{
    static const uint8_t data[65536];
    for (size_t n = 0; n < VARIANTS; n++) {
        struct session s;
        const size_t most[] = {channel_block_size(channel_method(SCP_SIGNED, rows[n].i), 0x01),
                               65535 - rows[n].signature};
        open_session(&s, *state, &rows[n], 0x01);
        for (size_t k = 0; k < 2; k++) {
            struct apdu wrapped, a = {.cla = 0x80, .ins = 0xE8, .extended = k == 1};
            struct writer storage;
            if (most[k] == 0)
                continue;
            a.data = view_of(data, most[k] + 1);
            assert_int_equal(wrap(&s, &a, 1, &wrapped, &storage), ERR_LIMIT);
            assert_int_equal(storage.len, 0);
            wr_free(&storage);
            a.data.len--;
            assert_int_equal(wrap(&s, &a, 1, &wrapped, &storage), OK);
            assert_int_equal(wrapped.data.len, most[k] + rows[n].signature);
            wr_free(&storage);
        }
        finish_session(&s);
    }
}

static void keys_for_put_key(void **state)
{
    static const uint8_t zero[16];
    for (size_t n = 0; n < VARIANTS; n++) {
        for (const uint8_t *level = rows[n].levels; *level != 0; level++) {
            struct session s;
            uint8_t expected[32];
            open_session(&s, *state, &rows[n], *level);
            wr_clear(&s.wire);
            enum err e = channel_dek_encrypt(s.ch, s.crypto, view_of(some, 32), &s.wire);
            assert_int_equal(e, (*level & 0x02) != 0 ? OK : ERR_UNSUPPORTED);
            if (e == OK) {
                assert_int_equal(crypto_aes_cbc_encrypt(s.crypto, secret_view(&s.card.dek), zero,
                                                        view_of(some, 32), expected),
                                 OK);
                assert_true(view_equal(wr_view_of(&s.wire), VIEW_OF(expected)));
                assert_int_equal(s.ch->dek.len, rows[n].key);
            }
            finish_session(&s);
        }
    }
}

/* A channel that follows stands where one that has signed stands, and its commands are worth nothing. */
static void following(void **state)
{
    for (size_t n = 0; n < VARIANTS; n++) {
        struct session s;
        struct channel *copy = NULL;
        struct apdu wrapped;
        struct writer storage, scratch;
        uint8_t plain[WIRE_MAX];
        size_t len;
        open_session(&s, *state, &rows[n], 0x11);
        assert_int_equal(channel_copy(&copy, s.ch), OK);
        assert_int_equal(wrap(&s, &commands[2], 1, &wrapped, &storage), OK);
        wr_heap(&scratch, channel_wrapped_max(&commands[2], 1));
        assert_int_equal(channel_follow(copy, s.crypto, &commands[2], &scratch), OK);
        assert_memory_equal(copy->chain, s.ch->chain, sizeof(copy->chain));
        assert_int_equal(copy->counter, s.ch->counter);
        assert_null(copy->signer);
        struct apdu unsigned_one = wrapped;
        unsigned_one.data = wr_view_of(&scratch);
        assert_false(card_command(&s.card, &unsigned_one, plain, &len));
        assert_true(card_command(&s.card, &wrapped, plain, &len));
        card_answers(&s.card, view_of(some, 3), 0x9000, &s.wire);
        channel_free(&s.ch);
        s.ch = copy;
        assert_int_equal(unwrap(&s, wr_view_of(&s.wire)), OK);
        wr_free(&storage);
        wr_free(&scratch);
        assert_int_equal(wrap(&s, &commands[3], 1, &wrapped, &storage), OK); /* it can still sign */
        assert_true(card_command(&s.card, &wrapped, plain, &len));
        wr_free(&storage);
        finish_session(&s);
    }
}

/* In the middle of a session, with keys and all. */
static void states(void **state)
{
    for (size_t n = 0; n < VARIANTS; n++) {
        struct session s;
        struct apdu wrapped;
        struct writer storage, bytes, again;
        struct channel *back = NULL;
        uint8_t memory[CHANNEL_STATE_MAX], other[CHANNEL_STATE_MAX], plain[WIRE_MAX];
        size_t len;
        uint8_t level = rows[n].i == 3 ? 0x11 : 0x33;
        open_session(&s, *state, &rows[n], level);
        assert_int_equal(wrap(&s, &commands[1], 1, &wrapped, &storage), OK);
        assert_true(card_command(&s.card, &wrapped, plain, &len));
        wr_free(&storage);
        wr_fixed(&bytes, memory, sizeof(memory));
        wr_fixed(&again, other, sizeof(other));
        assert_int_equal(channel_encode(s.ch, &bytes), OK);
        assert_int_equal(channel_decode(&back, wr_view_of(&bytes)), OK);
        assert_int_equal(channel_encode(back, &again), OK);
        assert_true(view_equal(wr_view_of(&bytes), wr_view_of(&again)));
        channel_free(&s.ch);
        s.ch = back;
        back = NULL;
        assert_int_equal(wrap(&s, &commands[2], 1, &wrapped, &storage), OK);
        assert_true(card_command(&s.card, &wrapped, plain, &len));
        wr_free(&storage);
        for (len = 0; len < bytes.len; len += len < 200 ? 1 : 37)
            assert_int_equal(channel_decode(&back, view_head(wr_view_of(&bytes), len)), ERR_FORMAT);
        finish_session(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_sessions),
        cmocka_unit_test(initialize_update_commands),
        cmocka_unit_test(answers_of_others),
        cmocka_unit_test(refusals),
        cmocka_unit_test(keys_that_do_not_fit),
        cmocka_unit_test(changed_commands),
        cmocka_unit_test(changed_answers),
        cmocka_unit_test(what_fits),
        cmocka_unit_test(keys_for_put_key),
        cmocka_unit_test(states),
        cmocka_unit_test(following),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
