/* SPDX-License-Identifier: Apache-2.0
 *
 * Openings of the protocols with card keys: what is sent, what is taken for an answer, implicit initiation,
 * single DES, and pseudo-random challenges. */
#include "test_support.h"

#include <stdlib.h>

#include <support/vectors.h>

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

static const struct random_source fixed = {no_random, NULL};

static void expect_command(const char *name, const struct apdu *a, const char *hex)
{
    uint8_t memory[300];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    apdu_put(&w, a);
    if (!view_equal(wr_view_of(&w), vector_hex(hex)))
        fail_msg("%s: another command", name);
}

static void first_commands(struct crypto *c, const struct opened *o)
{
    const struct channel_method *m = o->method;
    const struct channel_request request = {
        .method = m, .level = o->level, .kvn = 0x30, .kid = 1, .aid = VIEW_OF(test_aid)};
    struct channel_opening opening;
    assert_int_equal(channel_begin(&opening, c, fixed, &request, NULL), OK);
    assert_int_equal(opening.count, 1);
    if (!m->authenticates)
        expect_command(o->name, &opening.commands[0], "80CA00C100");
    else if (m->host_challenge_len == 16)
        expect_command(o->name, &opening.commands[0], "8050300110A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A500");
    else
        expect_command(o->name, &opening.commands[0], "8050300108A5A5A5A5A5A5A5A500");
    assert_true(view_equal(opening.request.aid, VIEW_OF(test_aid)));
    assert_true(opening.request.aid.data != test_aid); /* it is the opening's own */
    channel_opening_finish(&opening);
    assert_int_equal(opening.count, 0);
}

static void what_is_sent(void **state)
{
    for_all(*state, first_commands);
}

static enum err broken_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    (void)out;
    (void)len;
    return ERR_CRYPTO;
}

static void what_is_not_begun(void **state)
{
    static const uint8_t long_aid[AID_MAX + 1] = {0xA0};
    const struct random_source broken = {broken_random, NULL};
    const struct {
        const char *name;
        uint8_t scp, i, level;
        struct view aid;
        struct random_source random;
        enum err want;
    } rows[] = {
        {"SCP03", 3, 0x70, 0x33, VIEW_NULL, fixed, OK},
        {"level that the row has not", 3, 0x60, 0x02, VIEW_NULL, fixed, ERR_UNSUPPORTED},
        {"encryption without EXTERNAL AUTHENTICATE", 2, 0x1A, 0x03, VIEW_OF(test_aid), fixed,
         ERR_UNSUPPORTED},
        {"implicit without AID", 2, 0x1A, 0x01, VIEW_NULL, fixed, ERR_ARGUMENT},
        {"AID too short", 2, 0x1A, 0x01, view_of(test_aid, 4), fixed, ERR_ARGUMENT},
        {"AID too long", 2, 0x1A, 0x01, VIEW_OF(long_aid), fixed, ERR_ARGUMENT},
        {"AID too long where it is not needed", 3, 0x70, 0x01, VIEW_OF(long_aid), fixed, ERR_ARGUMENT},
        {"no randomness", 3, 0x70, 0x01, VIEW_NULL, broken, ERR_CRYPTO},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        const struct channel_request request = {
            .method = channel_method(rows[n].scp, rows[n].i), .level = rows[n].level, .aid = rows[n].aid};
        struct channel_opening opening = {0};
        enum err e = channel_begin(&opening, *state, rows[n].random, &request, NULL);
        if (e != rows[n].want || (e != OK && opening.count != 0))
            fail_msg("%s: %s", rows[n].name, err_name(e));
        channel_opening_finish(&opening);
    }
}

/* ---- implicit initiation (GPCS 2.3.1 E.1.2.2) ---- */

static void counters(void **state)
{
    static const struct {
        const char *name, *hex;
        uint16_t sw;
        enum err want;
    } rows[] = {
        {"counter", "C1020007", 0x9000, OK},
        {"zero", "C1020000", 0x9000, OK},
        {"beyond what cards must have", "C102FFFE", 0x9000, OK},
        {"at its end", "C102FFFF", 0x9000, ERR_STATE},
        {"three bytes", "C103000007", 0x9000, ERR_FORMAT},
        {"one byte", "C10107", 0x9000, ERR_FORMAT},
        {"trailing byte", "C102000700", 0x9000, ERR_FORMAT},
        {"cut", "C10200", 0x9000, ERR_FORMAT},
        {"no header", "0007", 0x9000, ERR_FORMAT},
        {"another tag", "C2020007", 0x9000, ERR_FORMAT},
        {"nothing", "", 0x9000, ERR_FORMAT},
        {"refused", "", 0x6A88, ERR_STATE},
        {"warning", "C1020007", 0x6283, ERR_STATE},
    };
    const struct opened o = one(SCP02, 0x1B, 0x01);
    const struct channel_request request = {.method = o.method, .level = 0x01, .aid = VIEW_OF(test_aid)};
    struct card_keys card = test_keys(o.method, 16);
    const struct channel_keys keys = {.card = &card};
    struct channel_opening opening;
    assert_int_equal(channel_begin(&opening, *state, fixed, &request, &keys), OK);
    for (size_t n = 0; n < COUNT(rows); n++) {
        const struct rapdu answer = {vector_hex(rows[n].hex), rows[n].sw};
        struct channel *ch = NULL;
        enum err e = channel_accept(&ch, *state, &opening, &keys, &answer, 1);
        if (e != rows[n].want || (e != OK) != (ch == NULL))
            fail_msg("%s: %s", rows[n].name, err_name(e));
        channel_free(&ch);
        assert_int_equal(channel_accept(&ch, *state, &opening, &keys, &answer, 0), ERR_STATE);
        assert_int_equal(channel_accept(&ch, *state, &opening, NULL, &answer, 1),
                         rows[n].sw == SW_OK ? ERR_ARGUMENT : ERR_STATE);
    }
    channel_opening_finish(&opening);
}

static void wrong_card_keys(void **state)
{
    static const struct {
        const char *name;
        enum key_type type;
        size_t enc, mac, dek;
        bool same;
        uint8_t i;
        enum err want;
    } rows[] = {
        {"one base key", KEY_DES3, 16, 16, 16, true, 0x1A, OK},
        {"three keys for one", KEY_DES3, 16, 16, 16, false, 0x1A, ERR_ARGUMENT},
        {"three keys", KEY_DES3, 16, 16, 16, false, 0x1B, OK},
        {"AES", KEY_AES, 16, 16, 16, true, 0x1B, ERR_ARGUMENT},
        {"single DES", KEY_DES, 8, 8, 8, true, 0x1B, ERR_ARGUMENT},
        {"MAC of 24 bytes", KEY_DES3, 16, 24, 16, true, 0x1B, ERR_ARGUMENT},
        {"DEK of 24 bytes", KEY_DES3, 16, 16, 24, true, 0x1B, ERR_ARGUMENT},
    };
    static const uint8_t counter[] = {0xC1, 0x02, 0x00, 0x07};
    const struct rapdu answer = {VIEW_OF(counter), SW_OK};
    for (size_t n = 0; n < COUNT(rows); n++) {
        const struct opened three = one(SCP02, 0x1B, 0x01), base = one(SCP02, 0x1A, 0x01);
        const struct channel_request request = {
            .method = channel_method(SCP02, rows[n].i), .level = 0x01, .aid = VIEW_OF(test_aid)};
        struct card_keys card = test_keys(rows[n].same ? base.method : three.method, 16);
        const struct channel_keys keys = {.card = &card};
        struct channel_opening opening;
        struct channel *ch = NULL;
        card.type = rows[n].type;
        card.enc.len = rows[n].enc;
        card.mac.len = rows[n].mac;
        card.dek.len = rows[n].dek;
        assert_int_equal(channel_begin(&opening, *state, fixed, &request, &keys), OK);
        enum err e = channel_accept(&ch, *state, &opening, &keys, &answer, 1);
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        channel_free(&ch);
        channel_opening_finish(&opening);
    }
}

static void one_base_key(void **state)
{
    struct opened o = one(SCP02, 0x14, 0x01);
    struct card_keys keys = test_keys(o.method, 16);
    struct init_update iu = right_answer(*state, o.method, &keys);
    struct secret *others[] = {&keys.mac, &keys.dek};
    for (size_t n = 0; n < COUNT(others); n++) {
        struct channel *ch = NULL;
        others[n]->data[15] ^= 0x80;
        assert_int_equal(channel_open(&ch, *state, o.method, &keys, host_challenge(o.method), &iu, 0x01),
                         ERR_ARGUMENT);
        others[n]->data[15] ^= 0x80;
    }
}

static void derived(struct crypto *c, const struct secret *key, uint16_t constant, uint16_t counter,
                    uint8_t out[16])
{
    static const uint8_t zero[DES_BLOCK];
    uint8_t data[16] = {(uint8_t)(constant >> 8), (uint8_t)constant, (uint8_t)(counter >> 8),
                        (uint8_t)counter};
    assert_int_equal(crypto_des3_cbc_encrypt(c, secret_view(key), zero, VIEW_OF(data), out), OK);
}

/* The card has counted the session by the time it makes the keys of R-MACs and of sensitive data; an initial
 * value is the MAC of the AID under the key that it is for; sensitive data goes in CBC mode (E.1.2.2, E.3.3,
 * E.4.7). */
static void implicit_keys(struct crypto *c, const struct opened *o)
{
    static const uint8_t zero[DES_BLOCK], sensitive[16] = {1, 2, 3};
    uint8_t want[16], got[16], padded[16] = {0};
    struct writer w;
    if (o->method->authenticates)
        return;
    struct channel *ch = open_ready(c, o);
    struct card_keys keys = test_keys(o->method, o->key_len);
    memcpy(padded, test_aid, sizeof(test_aid));
    padded[sizeof(test_aid)] = 0x80;
    derived(c, &keys.mac, 0x0101, 7, want);
    assert_memory_equal(ch->mac.data, want, 16);
    assert_int_equal(crypto_mac_retail(c, VIEW_OF(want), zero, VIEW_OF(padded), want), OK);
    assert_memory_equal(ch->chain, want, DES_BLOCK);
    derived(c, &keys.dek, 0x0181, 8, want);
    assert_memory_equal(ch->dek.data, want, 16);
    assert_int_equal(crypto_des3_cbc_encrypt(c, VIEW_OF(want), zero, VIEW_OF(sensitive), want), OK);
    wr_fixed(&w, got, sizeof(got));
    assert_int_equal(channel_dek_encrypt(ch, c, VIEW_OF(sensitive), &w), OK);
    assert_memory_equal(got, want, sizeof(want));
    if (o->method->response_mac) {
        derived(c, &keys.mac, 0x0102, 8, want);
        assert_memory_equal(ch->rmac.data, want, 16);
        assert_int_equal(crypto_mac_retail(c, VIEW_OF(want), zero, VIEW_OF(padded), want), OK);
        assert_memory_equal(ch->response.chain, want, DES_BLOCK);
    }
    channel_free(&ch);
}

static void implicit_rows(void **state)
{
    for_all(*state, implicit_keys);
}

/* ---- single DES: the example of docs/single-des.md ---- */

static void expect_wrapped(struct channel *ch, struct crypto *c, const char *plain, const char *want)
{
    uint8_t memory[64];
    struct writer w;
    struct apdu a;
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(apdu_parse(vector_hex(plain), &a), OK);
    assert_int_equal(wrap_bytes(ch, c, &a, &w), OK);
    if (!view_equal(wr_view_of(&w), vector_hex(want)))
        fail_msg("%s is not wrapped to %s", plain, want);
}

static void single_des(void **state)
{
    static const struct {
        uint8_t level;
        const char *authenticate, *get_status, *get_data;
    } rows[] = {{0x01, "8482010010393B5543FA7C04022229C8E2F63AA662", "84F280020A4F00AF571BEE4E45B64C00",
                 "84CA00660828EEC81438103DE900"},
                {0x03, "8482030010393B5543FA7C0402EAC1E930B7886309",
                 "84F28002101E6133423D010EED4B9550EDDA1A24E900", "84CA006608D12F449F3AFCF73900"}};
    struct card_keys keys = {.type = KEY_DES};
    struct init_update iu;
    uint8_t kcv[3];
    assert_int_equal(secret_set(&keys.enc, vector_hex("1011121314151617")), OK);
    assert_int_equal(secret_set(&keys.mac, vector_hex("2021222324252627")), OK);
    assert_int_equal(secret_set(&keys.dek, vector_hex("3031323334353637")), OK);
    assert_int_equal(key_check_value(*state, KEY_DES, &keys.enc, kcv), OK);
    assert_true(view_equal(VIEW_OF(kcv), vector_hex("05A362")));
    assert_int_equal(init_update_parse(vector_hex("00000000000000000000"
                                                  "0101B1B2B3B4B5B6B7B855DB6894BE1ED1B9"),
                                       &iu),
                     OK);
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t memory[64];
        struct channel *ch = NULL;
        struct writer w;
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(channel_open(&ch, *state, channel_method(SCP01, 0x15), &keys,
                                      vector_hex("A1A2A3A4A5A6A7A8"), &iu, rows[n].level),
                         OK);
        assert_int_equal(channel_external_authenticate(ch, *state, &w), OK);
        assert_true(view_equal(wr_view_of(&w), vector_hex(rows[n].authenticate)));
        expect_wrapped(ch, *state, "80F28002024F0000", rows[n].get_status);
        expect_wrapped(ch, *state, "80CA006600", rows[n].get_data);
        wr_clear(&w);
        assert_int_equal(channel_dek_encrypt(ch, *state, vector_hex("4041424344454647"), &w), OK);
        assert_true(view_equal(wr_view_of(&w), vector_hex("EB49D1D7C31CAD31")));
        channel_free(&ch);
    }
}

/* ---- pseudo-random challenges ---- */

static void set_all(struct card_keys *keys, struct view key)
{
    assert_int_equal(secret_set(&keys->enc, key), OK);
    assert_int_equal(secret_set(&keys->mac, key), OK);
    assert_int_equal(secret_set(&keys->dek, key), OK);
}

static uint32_t sequence_of(struct view v)
{
    uint32_t n = 0;
    for (size_t i = 0; i < v.len; i++)
        n = n << 8 | v.data[i];
    return n;
}

static void pseudo_challenges(void **state)
{
    size_t index, rows = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/kdf.json"), index, row)
    {
        bool scp02 = vector_is(row, "scp02-pseudo-challenge");
        struct card_keys keys = {.type = scp02 ? KEY_DES3 : KEY_AES};
        uint8_t memory[16];
        struct writer w;
        if (!scp02 && !vector_is(row, "scp03-pseudo-challenge"))
            continue;
        struct view want = vector_bytes(row, "challenge");
        const struct channel_method *m =
            scp02 ? channel_method(SCP02, 0x55) : channel_method(SCP03, want.len == 16 ? 0x71 : 0x70);
        set_all(&keys, vector_bytes(row, scp02 ? "static_mac" : "key_enc"));
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(channel_pseudo_challenge(*state, m, &keys,
                                                  sequence_of(vector_bytes(row, "sequence")),
                                                  vector_bytes(row, "aid"), &w),
                         OK);
        if (!view_equal(wr_view_of(&w), want))
            fail_msg("%s", vector_text(row, "id"));
        rows++;
    }
    assert_int_equal(rows, 37);
}

/* Cards that say i=15 make it so too, and cards that say i=70 do not always: a challenge is no reason to
 * refuse. */
static void any_challenge_will_do(void **state)
{
    static const uint8_t is[] = {0x55, 0x54, 0x75};
    uint8_t memory[16];
    struct writer w;
    for (size_t n = 0; n < COUNT(is); n++) {
        struct opened o = one(SCP02, is[n], 0x01);
        struct card_keys keys = test_keys(o.method, 16);
        struct init_update iu = right_answer(*state, o.method, &keys);
        struct channel *ch = NULL;
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(
            channel_pseudo_challenge(*state, o.method, &keys, iu.sequence, VIEW_OF(test_aid), &w), OK);
        assert_false(view_equal(wr_view_of(&w), view_of(iu.challenge, iu.challenge_len)));
        assert_int_equal(channel_open(&ch, *state, o.method, &keys, host_challenge(o.method), &iu, 0x01), OK);
        channel_free(&ch);
    }
    struct card_keys keys = test_keys(channel_method(SCP01, 0x15), 16);
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(
        channel_pseudo_challenge(*state, channel_method(SCP01, 0x15), &keys, 1, VIEW_OF(test_aid), &w),
        ERR_UNSUPPORTED);
    assert_int_equal(
        channel_pseudo_challenge(*state, channel_method(SCP03, 0x70), &keys, 1, VIEW_OF(test_aid), &w),
        ERR_ARGUMENT);
    assert_int_equal(w.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent),
        cmocka_unit_test(what_is_not_begun),
        cmocka_unit_test(counters),
        cmocka_unit_test(wrong_card_keys),
        cmocka_unit_test(one_base_key),
        cmocka_unit_test(implicit_rows),
        cmocka_unit_test(single_des),
        cmocka_unit_test(pseudo_challenges),
        cmocka_unit_test(any_challenge_will_do),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
