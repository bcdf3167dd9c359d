/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules around a channel: what is refused and when, tampered answers, the state as bytes, and response
 * MACs against a card side written straight from the specifications. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <support/vectors.h>

#include "channel_internal.h"

enum { STORAGE_MAX = 70000, ROWS_LEVELS_MAX = 8 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t host_bytes[HOST_CHALLENGE_MAX] = {0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8};
static const uint8_t sw_ok[] = {0x90, 0x00};

/* The rows whose keys are three symmetric ones: they stand first. The others have tests of their own. */
static const struct channel_method *with_card_keys(size_t *count)
{
    size_t all;
    const struct channel_method *m = channel_methods(&all);
    *count = 0;
    while (*count < all && (m[*count].key_type == KEY_DES3 || m[*count].key_type == KEY_AES))
        (*count)++;
    return m;
}

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

static struct card_keys test_keys(enum key_type type, size_t len)
{
    static const uint8_t bytes[3 * 32] = {1, 2, 3, 4, 5, [40] = 6, 7, 8, [70] = 9};
    struct card_keys k = {.type = type};
    assert_int_equal(secret_set(&k.enc, view_of(bytes, len)), OK);
    assert_int_equal(secret_set(&k.mac, view_of(bytes + 32, len)), OK);
    assert_int_equal(secret_set(&k.dek, view_of(bytes + 64, len)), OK);
    return k;
}

static struct view host_challenge(const struct channel_method *m)
{
    return view_of(host_bytes, m->host_challenge_len);
}

/* An answer to INITIALIZE UPDATE whose cryptogram is right for these keys. */
static struct init_update right_answer(struct crypto *c, const struct channel_method *m,
                                       const struct card_keys *keys)
{
    struct channel ch = {.method = m, .tag_len = m->tag_len};
    struct init_update iu = {
        .kvn = 1, .scp = m->scp, .i = m->scp == 2 ? -1 : m->i, .cryptogram_len = m->tag_len};
    iu.challenge_len = m->scp == 2 ? 6 : m->tag_len;
    iu.has_sequence = m->scp == 2 || (m->i & 0x10) != 0;
    iu.sequence = 7;
    memset(iu.challenge, 0x5A, iu.challenge_len);
    assert_int_equal(m->ops->derive(&ch, c, keys, host_challenge(m), &iu, iu.cryptogram), OK);
    return iu;
}

static struct channel *open_new(struct crypto *c, const struct channel_method *m, uint8_t level)
{
    struct card_keys keys = test_keys(m->key_type, 16);
    struct init_update iu = right_answer(c, m, &keys);
    struct channel *ch = NULL;
    assert_int_equal(channel_open(&ch, c, m, &keys, host_challenge(m), &iu, level), OK);
    return ch;
}

static enum err unwrap(struct channel *ch, struct crypto *c, struct view answer, struct writer *out,
                       uint16_t *sw, bool *proven)
{
    wr_clear(out);
    return channel_unwrap(ch, c, answer, out, sw, proven);
}

static struct channel *open_authenticated(struct crypto *c, const struct channel_method *m, uint8_t level)
{
    struct channel *ch = open_new(c, m, level);
    uint8_t memory[64];
    struct writer w;
    uint16_t sw;
    bool proven = true;
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(channel_external_authenticate(ch, c, &w), OK);
    assert_int_equal(unwrap(ch, c, VIEW_OF(sw_ok), &w, &sw, &proven), OK);
    assert_false(proven);
    return ch;
}

static void the_table(void **state)
{
    (void)state;
    size_t count;
    const struct channel_method *m = with_card_keys(&count);
    assert_int_equal(count, 16);
    for (size_t n = 0; n < count; n++, m++) {
        assert_ptr_equal(channel_method(m->scp, m->i), m);
        assert_false(channel_level_ok(m, LEVEL_NONE));
        assert_true(channel_level_ok(m, 0x01) && channel_level_ok(m, 0x03));
        assert_int_equal(channel_level_ok(m, 0x11), m->response_mac);
        assert_int_equal(channel_level_ok(m, 0x13), m->response_mac);
        assert_int_equal(channel_level_ok(m, 0x33), m->scp == 3 && (m->i & 0x40) != 0);
        assert_int_equal(m->response_mac, (m->i & 0x20) != 0);
        assert_false(channel_level_ok(m, 0x02) || channel_level_ok(m, 0x10) || channel_level_ok(m, 0x30));
        bool s16 = m->scp == SCP03 && (m->i & 0x01) != 0;
        assert_int_equal(channel_block_size(m, 0x01), s16 ? 239 : 247);
        assert_int_equal(channel_block_size(m, 0x03), s16 ? 223 : 239);
        assert_int_equal(channel_block_size(m, 0x11), s16 ? 239 : 247);
    }
    assert_null(channel_method(3, 0x02));
    assert_null(channel_method(2, 0x0A));
    assert_null(channel_method(1, 0x15));
}

static void initialize_update_answers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        enum err want;
        int i;
        uint32_t left;
    } rows[] = {
        {"SCP02", "0000416804170A325DC801020004B1B79602B1CBE00CF4940C256269", OK, -1, 32763},
        {"SCP02, counter at its end", "0000416804170A325DC801027FFFB1B79602B1CBE00CF4940C256269", OK, -1, 0},
        {"SCP02, counter beyond", "0000416804170A325DC80102FFFFB1B79602B1CBE00CF4940C256269", OK, -1, 0},
        {"SCP02, a byte short", "0000416804170A325DC801020004B1B79602B1CBE00CF4940C2562", ERR_FORMAT, 0, 0},
        {"SCP02, a byte long", "0000416804170A325DC801020004B1B79602B1CBE00CF4940C25626900", ERR_FORMAT, 0,
         0},
        {"SCP03, i=70", "149480576000078C01000103705CB17CF9D29E88CC780408C2550282F900001A", OK, 0x70,
         16777189},
        {"SCP03, i=60", "149480576000078C01000103605CB17CF9D29E88CC780408C2550282F9", OK, 0x60, UINT32_MAX},
        {"SCP03, i=70 without counter", "149480576000078C01000103705CB17CF9D29E88CC780408C2550282F9",
         ERR_FORMAT, 0, 0},
        {"SCP03, i=60 with counter", "149480576000078C01000103605CB17CF9D29E88CC780408C2550282F900001A",
         ERR_FORMAT, 0, 0},
        {"SCP03, S16",
         "149480576000078C0100010371"
         "5CB17CF9D29E88CC5CB17CF9D29E88CC780408C2550282F9780408C2550282F900001A",
         OK, 0x71, 16777189},
        {"SCP03, S16 by i, S8 by length", "149480576000078C01000103615CB17CF9D29E88CC780408C2550282F9",
         ERR_FORMAT, 0, 0},
        {"SCP01", "0000416804170A325DC801010004B1B79602B1CBE00CF4940C256269", OK, -1, UINT32_MAX},
        {"SCP01, a byte short", "0000416804170A325DC801010004B1B79602B1CBE00CF4940C2562", ERR_FORMAT, 0, 0},
        {"signed commands", "0000416804170A325DC801F00400112233445566778899AABBCCDDEEFF01", OK, 4,
         UINT32_MAX},
        {"signed commands, no signature", "0000416804170A325DC801F00400112233445566778899AABBCCDDEEFF",
         ERR_FORMAT, 0, 0},
        {"SCP80", "0000416804170A325DC80180", ERR_UNSUPPORTED, 0, 0},
        {"no protocol", "0000416804170A325DC801", ERR_FORMAT, 0, 0},
        {"nothing", "", ERR_FORMAT, 0, 0},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct init_update iu = {.kvn = 0xEE};
        enum err e = init_update_parse(vector_hex(rows[n].hex), &iu);
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        if (e == OK && (iu.i != rows[n].i || channel_counter_left(&iu) != rows[n].left))
            fail_msg("%s: i %d, left %u", rows[n].name, iu.i, (unsigned)channel_counter_left(&iu));
        if (e != OK)
            assert_int_equal(iu.kvn, 0xEE);
    }
}

static void initialize_update_command(void **state)
{
    (void)state;
    uint8_t memory[32];
    struct writer w;
    struct apdu a;
    wr_fixed(&w, memory, sizeof(memory));
    channel_initialize_update(&a, 0x30, 0x01, view_of(host_bytes, 8));
    apdu_put(&w, &a);
    assert_true(view_equal(wr_view_of(&w), vector_hex("8050300108A1A2A3A4A5A6A7A800")));
}

/* Card-rules: nothing exists before the card has proven itself. */
static void cryptogram_of_the_card(void **state)
{
    struct crypto *c = *state;
    size_t count;
    const struct channel_method *m = with_card_keys(&count);
    for (size_t n = 0; n < count; n++, m++) {
        struct card_keys keys = test_keys(m->key_type, 16);
        struct init_update iu = right_answer(c, m, &keys);
        struct channel *ch = NULL;
        for (size_t bit = 0; bit < 8u * m->tag_len; bit++) {
            iu.cryptogram[bit / 8] ^= (uint8_t)(1u << bit % 8);
            enum err e = channel_open(&ch, c, m, &keys, host_challenge(m), &iu, 0x01);
            if (e != ERR_AUTH || ch != NULL)
                fail_msg("%s i=%02X bit %zu: %s", m->name, m->i, bit, err_name(e));
            iu.cryptogram[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(channel_open(&ch, c, m, &keys, host_challenge(m), &iu, 0x01), OK);
        assert_int_equal(channel_level(ch), 0x01);
        assert_ptr_equal(channel_method_of(ch), m);
        channel_free(&ch);
        assert_null(ch);
        channel_free(&ch);
    }
}

static void what_does_not_go_together(void **state)
{
    struct crypto *c = *state;
    const struct {
        const char *name;
        uint8_t scp, i, level;
        enum key_type type;
        size_t enc, mac, dek, host_len;
        int answer_scp, answer_i;
        size_t cryptogram_len;
        enum err want;
    } rows[] = {
        {"SCP03", 3, 0x70, 0x33, KEY_AES, 16, 16, 16, 8, 3, 0x70, 8, OK},
        {"level that i has not", 3, 0x20, 0x33, KEY_AES, 16, 16, 16, 8, 3, 0x20, 8, ERR_UNSUPPORTED},
        {"no level", 3, 0x70, 0x00, KEY_AES, 16, 16, 16, 8, 3, 0x70, 8, ERR_UNSUPPORTED},
        {"DES keys", 3, 0x70, 0x01, KEY_DES3, 16, 16, 16, 8, 3, 0x70, 8, ERR_ARGUMENT},
        {"host challenge short", 3, 0x70, 0x01, KEY_AES, 16, 16, 16, 7, 3, 0x70, 8, ERR_ARGUMENT},
        {"answer of SCP02", 3, 0x70, 0x01, KEY_AES, 16, 16, 16, 8, 2, -1, 8, ERR_ARGUMENT},
        {"answer with another i", 3, 0x70, 0x01, KEY_AES, 16, 16, 16, 8, 3, 0x60, 8, ERR_ARGUMENT},
        {"answer of S16", 3, 0x70, 0x01, KEY_AES, 16, 16, 16, 8, 3, 0x70, 16, ERR_ARGUMENT},
        {"ENC of 17 bytes", 3, 0x70, 0x01, KEY_AES, 17, 17, 17, 8, 3, 0x70, 8, ERR_ARGUMENT},
        {"MAC longer than ENC", 3, 0x70, 0x01, KEY_AES, 16, 32, 16, 8, 3, 0x70, 8, ERR_ARGUMENT},
        {"DEK longer than ENC", 3, 0x70, 0x01, KEY_AES, 16, 16, 32, 8, 3, 0x70, 8, ERR_ARGUMENT},
        {"SCP02", 2, 0x75, 0x13, KEY_DES3, 16, 16, 16, 8, 2, -1, 8, OK},
        {"SCP02 without R-MAC", 2, 0x55, 0x13, KEY_DES3, 16, 16, 16, 8, 2, -1, 8, ERR_UNSUPPORTED},
        {"SCP02, AES keys", 2, 0x55, 0x01, KEY_AES, 16, 16, 16, 8, 2, -1, 8, ERR_ARGUMENT},
        {"SCP02, ENC of 24 bytes", 2, 0x55, 0x01, KEY_DES3, 24, 16, 16, 8, 2, -1, 8, ERR_ARGUMENT},
        {"SCP02, MAC of 24 bytes", 2, 0x55, 0x01, KEY_DES3, 16, 24, 16, 8, 2, -1, 8, ERR_ARGUMENT},
        {"SCP02, DEK of 24 bytes", 2, 0x55, 0x01, KEY_DES3, 16, 16, 24, 8, 2, -1, 8, ERR_ARGUMENT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        const struct channel_method *m = channel_method(rows[n].scp, rows[n].i);
        struct card_keys keys = test_keys(m->key_type, 16);
        struct init_update iu = right_answer(c, m, &keys);
        struct channel *ch = NULL;
        keys.type = rows[n].type;
        keys.enc.len = rows[n].enc;
        keys.mac.len = rows[n].mac;
        keys.dek.len = rows[n].dek;
        iu.scp = (uint8_t)rows[n].answer_scp;
        iu.i = rows[n].answer_i;
        iu.cryptogram_len = rows[n].cryptogram_len;
        enum err e =
            channel_open(&ch, c, m, &keys, view_of(host_bytes, rows[n].host_len), &iu, rows[n].level);
        if (e != rows[n].want || (e != OK) != (ch == NULL))
            fail_msg("%s: %s", rows[n].name, err_name(e));
        channel_free(&ch);
    }
}

static enum err wrap_bytes(struct channel *ch, struct crypto *c, const struct apdu *plain, struct writer *out)
{
    struct apdu wrapped;
    struct writer storage;
    wr_heap(&storage, channel_wrapped_max(plain, 1));
    enum err e = channel_wrap(ch, c, plain, 1, &wrapped, &storage);
    if (e == OK)
        apdu_put(out, &wrapped);
    else
        assert_int_equal(storage.len, 0);
    wr_free(&storage);
    return e;
}

static void order_of_things(void **state)
{
    struct crypto *c = *state;
    const struct apdu plain = {.cla = 0x80, .ins = 0xF2};
    uint8_t memory[64];
    struct writer w;
    bool proven;
    size_t count;
    const struct channel_method *m = with_card_keys(&count);
    for (size_t n = 0; n < count; n++, m++) {
        uint16_t sw = 0x1234;
        static const uint8_t refused[] = {0x63, 0x00};
        struct channel *ch = open_new(c, m, 0x03);
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(wrap_bytes(ch, c, &plain, &w), ERR_STATE);
        assert_int_equal(unwrap(ch, c, VIEW_OF(sw_ok), &w, &sw, &proven), ERR_STATE);
        assert_int_equal(sw, 0x1234);
        assert_int_equal(channel_external_authenticate(ch, c, &w), OK);
        assert_int_equal(w.len, 5 + 2 * m->tag_len);
        assert_int_equal(channel_external_authenticate(ch, c, &w), ERR_STATE);
        assert_int_equal(w.len, 5 + 2 * m->tag_len);
        assert_int_equal(wrap_bytes(ch, c, &plain, &w), OK); /* one script: answers come later */
        assert_int_equal(unwrap(ch, c, view_of(sw_ok, 1), &w, &sw, &proven), ERR_FORMAT);
        assert_int_equal(unwrap(ch, c, VIEW_OF(refused), &w, &sw, &proven), OK);
        assert_int_equal(sw, 0x6300);
        assert_int_equal(wrap_bytes(ch, c, &plain, &w), ERR_STATE);
        assert_int_equal(unwrap(ch, c, VIEW_OF(sw_ok), &w, &sw, &proven), ERR_STATE);
        channel_free(&ch);
    }
}

/* The longest data that fits, one byte more, and that a refused command leaves the channel as it was. */
static void what_fits(void **state)
{
    struct crypto *c = *state;
    static const uint8_t data[65536];
    const struct {
        uint8_t level;
        size_t most;
        bool extended;
    } rows[] = {{0x01, 247, false},  {0x03, 239, false}, {0x01, 65527, true},
                {0x03, 65519, true}, {0x11, 247, false}, {0x13, 239, false}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        for (uint8_t scp = 2; scp <= 3; scp++) {
            struct channel *ch =
                open_authenticated(c, channel_method(scp, scp == 2 ? 0x75 : 0x70), rows[n].level);
            struct channel before = *ch;
            struct apdu a = {.cla = 0x80, .ins = 0xE8, .extended = rows[n].extended};
            struct writer w;
            wr_heap(&w, STORAGE_MAX);
            a.data = view_of(data, rows[n].most + 1);
            assert_int_equal(wrap_bytes(ch, c, &a, &w), ERR_LIMIT);
            assert_memory_equal(ch, &before, sizeof(before));
            a.data.len--;
            assert_int_equal(wrap_bytes(ch, c, &a, &w), OK);
            assert_int_equal(ch->counter, 1);
            wr_free(&w);
            channel_free(&ch);
        }
    }
}

/* Nothing of a sequence is wrapped when one of it cannot be, or when the storage is too small. */
static void all_or_nothing(void **state)
{
    struct crypto *c = *state;
    static const uint8_t data[248];
    for (uint8_t scp = 2; scp <= 3; scp++) {
        struct channel *ch = open_authenticated(c, channel_method(scp, scp == 2 ? 0x55 : 0x70), 0x01);
        struct channel before = *ch;
        struct apdu plain[3] = {{.cla = 0x80}, {.cla = 0x80, .data = VIEW_OF(data)}, {.cla = 0x80}},
                    wrapped[3];
        uint8_t memory[512] = {0xEE};
        struct writer storage;
        wr_fixed(&storage, memory, sizeof(memory));
        wr_u8(&storage, 0xEE);
        assert_int_equal(channel_wrap(ch, c, plain, 3, wrapped, &storage), ERR_LIMIT);
        plain[1].data.len = 0;
        plain[2].cla = 0x84;
        assert_int_equal(channel_wrap(ch, c, plain, 3, wrapped, &storage), ERR_ARGUMENT);
        plain[2].cla = 0xE0;
        assert_int_equal(channel_wrap(ch, c, plain, 3, wrapped, &storage), ERR_ARGUMENT);
        assert_int_equal(storage.len, 1);
        assert_int_equal(channel_wrap(ch, c, plain, 0, wrapped, &storage), OK);
        plain[2].cla = 0x80;
        wr_fixed(&storage, memory, 20);
        assert_int_equal(channel_wrap(ch, c, plain, 3, wrapped, &storage), ERR_LIMIT);
        assert_memory_equal(ch, &before, sizeof(before));
        ch->counter = UINT32_MAX - 2;
        wr_fixed(&storage, memory, sizeof(memory));
        assert_int_equal(channel_wrap(ch, c, plain, 3, wrapped, &storage), ERR_LIMIT);
        assert_int_equal(channel_wrap(ch, c, plain, 2, wrapped, &storage), OK);
        channel_free(&ch);
    }
}

/* The logical channel is not MACed (Amendment D 6.2.4; GPCS 2.3.1 E.4.4). */
static void class_bytes(void **state)
{
    struct crypto *c = *state;
    static const struct {
        uint8_t plain, wire, same_as;
    } rows[] = {{0x80, 0x84, 0x80}, {0x83, 0x87, 0x80}, {0x00, 0x04, 0x00}, {0x01, 0x05, 0x00},
                {0xC0, 0xE0, 0x80}, {0xCF, 0xEF, 0x80}, {0x40, 0x60, 0x00}, {0x90, 0x94, 0x90}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        for (uint8_t scp = 2; scp <= 3; scp++) {
            struct channel *a = open_authenticated(c, channel_method(scp, scp == 2 ? 0x55 : 0x70), 0x01),
                           *b = NULL;
            uint8_t got[32], want[32];
            struct writer w, v;
            assert_int_equal(channel_copy(&b, a), OK);
            wr_fixed(&w, got, sizeof(got));
            wr_fixed(&v, want, sizeof(want));
            struct apdu plain = {.cla = rows[n].plain, .ins = 0xF2, .p1 = 0x40, .ne = 256};
            assert_int_equal(wrap_bytes(a, c, &plain, &w), OK);
            plain.cla = rows[n].same_as;
            assert_int_equal(wrap_bytes(b, c, &plain, &v), OK);
            assert_int_equal(got[0], rows[n].wire);
            assert_memory_equal(got + 1, want + 1, w.len - 1);
            channel_free(&a);
            channel_free(&b);
        }
    }
}

/* The card's side of an answer, as the specifications have it. */
struct card {
    struct secret enc, rmac;
    uint8_t chain[AES_BLOCK]; /* SCP03: MAC chaining value; SCP02: last R-MAC */
    uint32_t counter;
    size_t tag_len;
    bool encrypt;
};

static void card_scp03(struct card *card, struct crypto *c, struct view data, uint16_t sw, struct writer *out)
{
    uint8_t icv[AES_BLOCK] = {0x80}, mac[CMAC_LEN];
    const uint8_t status[] = {(uint8_t)(sw >> 8), (uint8_t)sw};
    wr_view(out, data);
    if (card->encrypt && data.len > 0) {
        channel_pad(out, AES_BLOCK);
        icv[15] = (uint8_t)card->counter;
        assert_int_equal(crypto_aes_ecb_encrypt(c, secret_view(&card->enc), VIEW_OF(icv), icv), OK);
        assert_int_equal(crypto_aes_cbc_encrypt(c, secret_view(&card->enc), icv, wr_view_of(out), out->data),
                         OK);
    }
    const struct view parts[] = {VIEW_OF(card->chain), wr_view_of(out), VIEW_OF(status)};
    assert_int_equal(crypto_cmac(c, secret_view(&card->rmac), parts, 3, mac), OK);
    wr_bytes(out, mac, card->tag_len);
    wr_u16(out, sw);
}

static void card_scp02(struct card *card, struct crypto *c, const struct apdu *command, struct view data,
                       uint16_t sw, struct writer *out)
{
    uint8_t mac[DES_BLOCK];
    struct writer w;
    wr_heap(&w, STORAGE_MAX);
    wr_u8(&w, command->cla);
    wr_u8(&w, command->ins);
    wr_u8(&w, command->p1);
    wr_u8(&w, command->p2);
    wr_view8(&w, command->data);
    wr_u8(&w, (uint8_t)data.len);
    wr_view(&w, data);
    wr_u16(&w, sw);
    channel_pad(&w, DES_BLOCK);
    assert_int_equal(crypto_mac_retail(c, secret_view(&card->rmac), card->chain, wr_view_of(&w), mac), OK);
    memcpy(card->chain, mac, DES_BLOCK);
    wr_view(out, data);
    wr_bytes(out, mac, MAC_LEN);
    wr_u16(out, sw);
    wr_free(&w);
}

/* Commands and answers of all lengths, with success and warnings; SCP02 with errors too, with and without
 * their R-MAC. */
static const uint16_t words[] = {0x9000, 0x6283, 0x6310, 0x9000};

static void answers(struct crypto *c, const struct channel_method *m, uint8_t level)
{
    static uint8_t bytes[1200];
    struct channel *ch = open_authenticated(c, m, level);
    struct card card = {.enc = ch->enc,
                        .rmac = ch->rmac,
                        .tag_len = ch->tag_len,
                        .encrypt = (level & LEVEL_R_ENCRYPTION) != 0};
    struct writer wire, out, answer;
    wr_heap(&wire, STORAGE_MAX);
    wr_heap(&out, STORAGE_MAX);
    wr_heap(&answer, STORAGE_MAX);
    memcpy(card.chain, ch->chain, sizeof(card.chain));
    for (size_t n = 0; n < 200; n++) {
        struct apdu command = {.cla = 0x80, .ins = 0xCA, .p1 = (uint8_t)n, .data = view_of(bytes, n)};
        struct view data = view_of(bytes, n < 100 ? n : n * 6);
        uint16_t sw = words[n % COUNT(words)], got = 0;
        bool proven = false, refused = m->scp == 2 && n % 7 == 3, kept_back = m->scp == 2 && n % 14 == 3;
        bytes[n] = (uint8_t)(n * 3);
        if (refused) {
            data.len = 0;
            sw = 0x6985;
        }
        assert_int_equal(wrap_bytes(ch, c, &command, &wire), OK);
        wr_clear(&answer);
        if (m->scp == 3) {
            memcpy(card.chain, ch->chain, sizeof(card.chain));
            card.counter++;
            card_scp03(&card, c, data, sw, &answer);
        } else {
            card_scp02(&card, c, &command, data, sw, &answer);
        }
        if (kept_back) {
            wr_clear(&answer);
            wr_u16(&answer, sw);
        }
        enum err e = unwrap(ch, c, wr_view_of(&answer), &out, &got, &proven);
        if (e != OK || got != sw || proven == kept_back || !view_equal(wr_view_of(&out), data))
            fail_msg("%s i=%02X level %02X answer %zu: %s", m->name, m->i, level, n, err_name(e));
        wr_clear(&wire);
    }
    wr_free(&wire);
    wr_free(&out);
    wr_free(&answer);
    channel_free(&ch);
}

static void answers_of_a_card(void **state)
{
    size_t count;
    const struct channel_method *m = with_card_keys(&count);
    for (size_t n = 0; n < count; n++, m++) {
        for (const uint8_t *level = m->levels; *level != 0; level++) {
            if ((*level & LEVEL_R_MAC) != 0)
                answers(*state, m, *level);
        }
    }
}

/* An answer to one command of a fresh channel, ready to be tampered with. */
static struct channel *one_answer(struct crypto *c, const struct channel_method *m, uint8_t level,
                                  uint16_t sw, struct writer *answer)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const struct apdu command = {.cla = 0x80, .ins = 0xF2, .data = view_of(data, 3)};
    struct channel *ch = open_authenticated(c, m, level);
    struct card card = {.enc = ch->enc,
                        .rmac = ch->rmac,
                        .tag_len = ch->tag_len,
                        .counter = 1,
                        .encrypt = (level & LEVEL_R_ENCRYPTION) != 0};
    struct writer wire;
    memcpy(card.chain, ch->chain, sizeof(card.chain));
    wr_heap(&wire, STORAGE_MAX);
    assert_int_equal(wrap_bytes(ch, c, &command, &wire), OK);
    wr_free(&wire);
    wr_clear(answer);
    if (m->scp == 3) {
        memcpy(card.chain, ch->chain, sizeof(card.chain));
        card_scp03(&card, c, VIEW_OF(data), sw, answer);
    } else {
        card_scp02(&card, c, &command, VIEW_OF(data), sw, answer);
    }
    return ch;
}

static void expect_forged(struct channel *ch, struct crypto *c, struct view answer, const char *what,
                          size_t n)
{
    struct channel *copy = NULL;
    struct writer out;
    uint16_t sw = 0x1234;
    bool proven = false;
    wr_heap(&out, STORAGE_MAX);
    assert_int_equal(channel_copy(&copy, ch), OK);
    enum err e = channel_unwrap(copy, c, answer, &out, &sw, &proven);
    if (e != ERR_AUTH || out.len != 0 || sw != 0x1234 || proven)
        fail_msg("%s %zu: %s", what, n, err_name(e));
    assert_int_equal(channel_unwrap(copy, c, answer, &out, &sw, &proven), ERR_STATE);
    channel_free(&copy);
    wr_free(&out);
}

static void tamper(struct crypto *c, const struct channel_method *m, uint8_t level)
{
    struct writer answer, out;
    uint16_t sw;
    bool proven = false;
    wr_heap(&answer, STORAGE_MAX);
    wr_heap(&out, STORAGE_MAX);
    struct channel *ch = one_answer(c, m, level, 0x9000, &answer);
    /* Every bit; but a status word that turns into an error one has to have no data. */
    for (size_t bit = 0; bit < 8 * answer.len; bit++) {
        answer.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_forged(ch, c, wr_view_of(&answer), "bit", bit);
        answer.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len + 2 < answer.len; len++) { /* data cut from behind and from before */
        struct writer cut;
        wr_heap(&cut, STORAGE_MAX);
        wr_view(&cut, view_head(wr_view_of(&answer), len));
        wr_u16(&cut, 0x9000);
        expect_forged(ch, c, wr_view_of(&cut), "cut to", len);
        wr_free(&cut);
        if (len > 0)
            expect_forged(ch, c, view_tail(wr_view_of(&answer), len), "cut by", len);
    }
    assert_int_equal(unwrap(ch, c, wr_view_of(&answer), &out, &sw, &proven), OK);
    assert_true(proven);
    wr_free(&answer);
    wr_free(&out);
    channel_free(&ch);
}

static void tampered_answers(void **state)
{
    size_t count;
    const struct channel_method *m = with_card_keys(&count);
    for (size_t n = 0; n < count; n++, m++) {
        for (const uint8_t *level = m->levels; *level != 0; level++) {
            if ((*level & LEVEL_R_MAC) != 0)
                tamper(*state, m, *level);
        }
    }
}

/* Amendment D 6.2.5: an error status word comes alone and proves nothing. */
static void errors_of_scp03(void **state)
{
    struct crypto *c = *state;
    static const uint8_t error[] = {0x69, 0x85}, with_data[] = {0x00, 0x69, 0x85}, more[] = {0x61, 0x10};
    struct writer answer, out;
    uint16_t sw = 0;
    bool proven = true;
    wr_heap(&answer, STORAGE_MAX);
    wr_heap(&out, STORAGE_MAX);
    struct channel *ch = one_answer(c, channel_method(3, 0x70), 0x33, 0x9000, &answer);
    expect_forged(ch, c, VIEW_OF(with_data), "data with an error", 0);
    assert_int_equal(unwrap(ch, c, VIEW_OF(more), &out, &sw, &proven), OK);
    assert_false(proven);
    proven = true;
    assert_int_equal(unwrap(ch, c, VIEW_OF(error), &out, &sw, &proven), OK);
    assert_int_equal(sw, 0x6985);
    assert_false(proven);
    wr_free(&answer);
    wr_free(&out);
    channel_free(&ch);
}

/* GPCS 2.3.1 E.4.5: an error status word has no data, even when there is a MAC over it. */
static void errors_of_scp02(void **state)
{
    struct writer answer;
    wr_heap(&answer, STORAGE_MAX);
    struct channel *ch = one_answer(*state, channel_method(2, 0x75), 0x11, 0x6985, &answer);
    expect_forged(ch, *state, wr_view_of(&answer), "data with an error", 0);
    wr_free(&answer);
    channel_free(&ch);
}

/* A card that MACs nonsense: cipher text that is no whole block, or has no padding. */
static void encrypted_nonsense(void **state)
{
    struct crypto *c = *state;
    static const uint8_t bytes[32];
    struct writer answer, out;
    uint16_t sw;
    bool proven;
    wr_heap(&answer, STORAGE_MAX);
    wr_heap(&out, STORAGE_MAX);
    struct channel *ch = one_answer(c, channel_method(3, 0x70), 0x33, 0x9000, &answer);
    struct card card = {.enc = ch->enc, .rmac = ch->rmac, .tag_len = ch->tag_len, .counter = 1};
    memcpy(card.chain, ch->chain, sizeof(card.chain));
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        wr_clear(&answer);
        card_scp03(&card, c, view_of(bytes, len), 0x9000, &answer);
        assert_int_equal(unwrap(ch, c, wr_view_of(&answer), &out, &sw, &proven), ERR_FORMAT);
        assert_int_equal(out.len, 0);
    }
    /* Zeros, encrypted as they are: no 80 anywhere. */
    uint8_t icv[AES_BLOCK] = {0x80, [15] = 1}, cipher[32];
    assert_int_equal(crypto_aes_ecb_encrypt(c, secret_view(&ch->enc), VIEW_OF(icv), icv), OK);
    assert_int_equal(crypto_aes_cbc_encrypt(c, secret_view(&ch->enc), icv, VIEW_OF(bytes), cipher), OK);
    wr_clear(&answer);
    card_scp03(&card, c, VIEW_OF(cipher), 0x9000, &answer);
    assert_int_equal(unwrap(ch, c, wr_view_of(&answer), &out, &sw, &proven), ERR_FORMAT);
    wr_free(&answer);
    wr_free(&out);
    channel_free(&ch);
}

/* At each step of a dialogue the channel goes through bytes and through a copy; both go on as the first. */
static void state_goes_on(struct crypto *c, const struct channel_method *m, uint8_t level)
{
    static const uint8_t data[40] = {1, 2, 3};
    struct channel *ch[3] = {open_new(c, m, level), NULL, NULL};
    struct writer wire[3], state;
    uint8_t memory[CHANNEL_STATE_MAX];
    for (size_t i = 0; i < 3; i++)
        wr_heap(&wire[i], STORAGE_MAX);
    for (size_t step = 0; step < 12; step++) {
        const struct apdu a = {
            .cla = 0x80, .ins = 0xE2, .p2 = (uint8_t)step, .data = view_of(data, step * 3)};
        wr_fixed(&state, memory, sizeof(memory));
        channel_free(&ch[1]);
        channel_free(&ch[2]);
        assert_int_equal(channel_encode(ch[0], &state), OK);
        assert_int_equal(channel_decode(&ch[1], wr_view_of(&state)), OK);
        assert_int_equal(channel_copy(&ch[2], ch[0]), OK);
        for (size_t i = 0; i < 3; i++) {
            uint16_t sw;
            bool proven;
            wr_clear(&wire[i]);
            if (step == 0)
                assert_int_equal(channel_external_authenticate(ch[i], c, &wire[i]), OK);
            else
                assert_int_equal(wrap_bytes(ch[i], c, &a, &wire[i]), OK);
            if (step == 0)
                assert_int_equal(channel_unwrap(ch[i], c, VIEW_OF(sw_ok), &wire[i], &sw, &proven), OK);
            assert_int_equal(channel_encode(ch[i], &wire[i]), OK);
            assert_true(view_equal(wr_view_of(&wire[i]), wr_view_of(&wire[0])));
        }
    }
    for (size_t i = 0; i < 3; i++) {
        wr_free(&wire[i]);
        channel_free(&ch[i]);
    }
}

static void state_as_bytes(void **state)
{
    size_t count;
    const struct channel_method *m = with_card_keys(&count);
    for (size_t n = 0; n < count; n++, m++) {
        for (const uint8_t *level = m->levels; *level != 0; level++)
            state_goes_on(*state, m, *level);
    }
}

/* Offsets in the state of a channel with keys of 16 bytes: version, protocol, i, level, phase, then keys. */
static void bad_states(void **state)
{
    struct crypto *c = *state;
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
    } rows[] = {
        {"version", 0, 1},          {"protocol", 1, 4},    {"i", 2, 0x02},
        {"level", 3, 0x02},         {"no level", 3, 0x00}, {"phase", 4, 4},
        {"C-MAC length", 6, 16},    {"ENC length", 7, 15}, {"no R-MAC by i", 2, 0x00},
        {"new, but counted", 4, 0},
    };
    uint8_t memory[CHANNEL_STATE_MAX + 1];
    struct writer w;
    struct channel *ch = open_authenticated(c, channel_method(3, 0x70), 0x03), *out = NULL;
    ch->counter = 1;
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(channel_encode(ch, &w), OK);
    assert_true(w.len <= CHANNEL_STATE_MAX);
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t keep = memory[rows[n].at];
        memory[rows[n].at] = rows[n].value;
        enum err e = channel_decode(&out, wr_view_of(&w));
        if (e != ERR_FORMAT || out != NULL)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        memory[rows[n].at] = keep;
    }
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(channel_decode(&out, view_of(memory, len)), ERR_FORMAT);
    memory[w.len] = 0;
    assert_int_equal(channel_decode(&out, view_of(memory, w.len + 1)), ERR_FORMAT);
    assert_int_equal(channel_decode(&out, wr_view_of(&w)), OK);
    uint8_t small[40];
    struct writer too_small;
    wr_fixed(&too_small, small, sizeof(small));
    assert_int_equal(channel_encode(ch, &too_small), ERR_LIMIT);
    channel_free(&ch);
    channel_free(&out);
}

/* Each session key has the length that the method wants. */
static void key_lengths_in_states(void **state)
{
    struct crypto *c = *state;
    for (uint8_t scp = 2; scp <= 3; scp++) {
        struct channel *ch = open_authenticated(c, channel_method(scp, scp == 2 ? 0x75 : 0x70), 0x11),
                       *out = NULL;
        struct secret *keys[] = {&ch->enc, &ch->mac, &ch->rmac, &ch->dek};
        for (size_t n = 0; n < COUNT(keys); n++) {
            uint8_t memory[CHANNEL_STATE_MAX];
            struct writer w;
            wr_fixed(&w, memory, sizeof(memory));
            keys[n]->len = 24;
            assert_int_equal(channel_encode(ch, &w), OK);
            if (channel_decode(&out, wr_view_of(&w)) != ERR_FORMAT)
                fail_msg("SCP0%d, key %zu", scp, n);
            keys[n]->len = 16;
        }
        channel_free(&ch);
    }
}

static void sensitive_data(void **state)
{
    struct crypto *c = *state;
    size_t index, rows = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/kdf.json"), index, row)
    {
        if (!vector_is(row, "key-encryption"))
            continue;
        bool scp02 = strcmp(vector_text(row, "protocol"), "SCP02") == 0;
        struct channel ch = {.method = channel_method(scp02 ? 2 : 3, scp02 ? 0x55 : 0x70)};
        uint8_t memory[64];
        struct writer w;
        assert_int_equal(secret_set(&ch.dek, vector_bytes(row, scp02 ? "session_dek" : "static_dek")), OK);
        struct view key = vector_bytes(row, "key");
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(channel_dek_encrypt(&ch, c, key, &w), OK);
        if (!view_equal(wr_view_of(&w), vector_bytes(row, "encrypted")))
            fail_msg("%s", vector_text(row, "id"));
        assert_int_equal(channel_dek_encrypt(&ch, c, view_of(memory, 15), &w), ERR_ARGUMENT);
        assert_int_equal(w.len, key.len);
        wr_fixed(&w, memory, 15);
        assert_int_equal(channel_dek_encrypt(&ch, c, key, &w), ERR_LIMIT);
        rows++;
    }
    assert_int_equal(rows, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(initialize_update_answers),
        cmocka_unit_test(initialize_update_command),
        cmocka_unit_test(cryptogram_of_the_card),
        cmocka_unit_test(what_does_not_go_together),
        cmocka_unit_test(order_of_things),
        cmocka_unit_test(what_fits),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(class_bytes),
        cmocka_unit_test(answers_of_a_card),
        cmocka_unit_test(tampered_answers),
        cmocka_unit_test(errors_of_scp03),
        cmocka_unit_test(errors_of_scp02),
        cmocka_unit_test(encrypted_nonsense),
        cmocka_unit_test(state_as_bytes),
        cmocka_unit_test(bad_states),
        cmocka_unit_test(key_lengths_in_states),
        cmocka_unit_test(sensitive_data),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
