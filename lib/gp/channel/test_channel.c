/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules around a channel: what is refused and when, and the state as bytes. */
#include "test_support.h"

#include <support/vectors.h>

enum { STORAGE_MAX = 70000 };

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

/* What the bits of i say, against what the row says. */
static void scp01_row(const struct channel_method *m)
{
    assert_true(m->i == 0x05 || m->i == 0x15);
    assert_false(m->response_mac);
    assert_true(channel_keys_fit(m, KEY_DES, 8) && channel_keys_fit(m, KEY_DES3, 16));
    assert_false(channel_keys_fit(m, KEY_DES3, 24) || channel_keys_fit(m, KEY_DES3, 8) ||
                 channel_keys_fit(m, KEY_AES, 16));
}

static void scp02_row(const struct channel_method *m)
{
    bool explicit = (m->i & 0x04) != 0;
    assert_int_equal(m->response_mac, (m->i & 0x20) != 0);
    assert_int_equal(m->authenticates, explicit);
    assert_int_equal(m->host_challenge_len, explicit ? 8 : 0);
    assert_int_equal((m->i & 0x0A) == 0x0A, !explicit); /* unmodified, MAC over AID */
    assert_int_equal(channel_level_ok(m, 0x03), explicit);
    assert_int_equal(channel_level_ok(m, 0x11), explicit && m->response_mac);
    assert_int_equal(channel_level_ok(m, 0x13), explicit && m->response_mac);
    assert_false(channel_level_ok(m, 0x33));
    assert_true(channel_keys_fit(m, KEY_DES3, 16));
    assert_false(channel_keys_fit(m, KEY_DES3, 24) || channel_keys_fit(m, KEY_DES, 8));
}

static void scp03_row(const struct channel_method *m)
{
    bool s16 = (m->i & 0x01) != 0;
    assert_int_equal(m->response_mac, (m->i & 0x20) != 0);
    assert_int_equal(m->tag_len, s16 ? 16 : 8);
    assert_int_equal(m->host_challenge_len, m->tag_len);
    assert_true(channel_level_ok(m, 0x03));
    assert_int_equal(channel_level_ok(m, 0x11), m->response_mac);
    assert_int_equal(channel_level_ok(m, 0x13), m->response_mac);
    assert_int_equal(channel_level_ok(m, 0x33), (m->i & 0x40) != 0);
    assert_int_equal(channel_block_size(m, 0x01), s16 ? 239 : 247);
    assert_int_equal(channel_block_size(m, 0x03), s16 ? 223 : 239);
    assert_true(channel_keys_fit(m, KEY_AES, 16) && channel_keys_fit(m, KEY_AES, 24) &&
                channel_keys_fit(m, KEY_AES, 32));
    assert_false(channel_keys_fit(m, KEY_DES3, 16) || channel_keys_fit(m, KEY_AES, 8));
}

static void the_table(void **state)
{
    (void)state;
    static const struct {
        uint8_t scp;
        size_t rows;
        void (*check)(const struct channel_method *m);
    } protocols[] = {{SCP01, 2, scp01_row}, {SCP02, 24, scp02_row}, {SCP03, 12, scp03_row}};
    size_t count;
    const struct channel_method *methods = channel_methods(&count);
    for (size_t p = 0; p < COUNT(protocols); p++) {
        size_t rows = 0;
        for (const struct channel_method *m = methods; m < methods + count; m++) {
            if (m->scp != protocols[p].scp)
                continue;
            protocols[p].check(m);
            rows++;
        }
        assert_int_equal(rows, protocols[p].rows);
    }
    for (const struct channel_method *m = methods; m < methods + count; m++) {
        assert_ptr_equal(channel_method(m->scp, m->i), m);
        assert_true(channel_level_ok(m, LEVEL_C_MAC) || !has_card_keys(m));
        assert_false(channel_level_ok(m, 0x00) || channel_level_ok(m, 0x02) || channel_level_ok(m, 0x10) ||
                     channel_level_ok(m, 0x30));
        if (m->tag_len == MAC_LEN) {
            assert_int_equal(channel_block_size(m, 0x01), 247);
            assert_int_equal(channel_block_size(m, 0x03), 239);
        }
    }
    assert_null(channel_method(SCP03, 0x02));
    assert_null(channel_method(SCP02, 0x06));
    assert_null(channel_method(SCP01, 0x25));
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

/* Nothing exists before the card has proven itself. */
static void wrong_cryptograms(struct crypto *c, const struct opened *o)
{
    const struct channel_method *m = o->method;
    struct channel *ch = NULL;
    if (!m->authenticates)
        return;
    struct card_keys keys = test_keys(m, o->key_len);
    struct init_update iu = right_answer(c, m, &keys);
    for (size_t bit = 0; bit < 8u * m->tag_len; bit++) {
        iu.cryptogram[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum err e = channel_open(&ch, c, m, &keys, host_challenge(m), &iu, o->level);
        if (e != ERR_AUTH || ch != NULL)
            fail_msg("%s bit %zu: %s", o->name, bit, err_name(e));
        iu.cryptogram[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(channel_open(&ch, c, m, &keys, host_challenge(m), &iu, o->level), OK);
    assert_int_equal(channel_level(ch), o->level);
    assert_ptr_equal(channel_method_of(ch), m);
    channel_free(&ch);
    assert_null(ch);
    channel_free(&ch);
}

static void cryptogram_of_the_card(void **state)
{
    for_all(*state, wrong_cryptograms);
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
        {"SCP02, single DES", 2, 0x55, 0x01, KEY_DES, 8, 8, 8, 8, 2, -1, 8, ERR_ARGUMENT},
        {"SCP02, implicit", 2, 0x1A, 0x01, KEY_DES3, 16, 16, 16, 8, 2, -1, 8, ERR_UNSUPPORTED},
        {"SCP01", 1, 0x15, 0x03, KEY_DES3, 16, 16, 16, 8, 1, -1, 8, OK},
        {"SCP01 has no R-MAC", 1, 0x15, 0x11, KEY_DES3, 16, 16, 16, 8, 1, -1, 8, ERR_UNSUPPORTED},
        {"SCP01, keys of 24 bytes", 1, 0x15, 0x01, KEY_DES3, 24, 24, 24, 8, 1, -1, 8, ERR_ARGUMENT},
        {"SCP01, ENC of 8 bytes", 1, 0x15, 0x01, KEY_DES, 8, 16, 16, 8, 1, -1, 8, ERR_ARGUMENT},
        {"SCP01, MAC of 8 bytes", 1, 0x15, 0x01, KEY_DES3, 16, 8, 16, 8, 1, -1, 8, ERR_ARGUMENT},
        {"SCP01, Triple-DES of 8 bytes", 1, 0x15, 0x01, KEY_DES3, 8, 8, 8, 8, 1, -1, 8, ERR_ARGUMENT},
        {"SCP01, answer of SCP02", 1, 0x15, 0x01, KEY_DES3, 16, 16, 16, 8, 2, -1, 8, ERR_ARGUMENT},
        {"S16", 3, 0x71, 0x33, KEY_AES, 16, 16, 16, 16, 3, 0x71, 16, OK},
        {"S16, host challenge of 8", 3, 0x71, 0x33, KEY_AES, 16, 16, 16, 8, 3, 0x71, 16, ERR_ARGUMENT},
        {"S16, answer of S8", 3, 0x71, 0x33, KEY_AES, 16, 16, 16, 16, 3, 0x70, 8, ERR_ARGUMENT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        const struct channel_method *m = channel_method(rows[n].scp, rows[n].i);
        struct card_keys keys = test_keys(m, 16);
        struct init_update iu = {0};
        struct channel *ch = NULL;
        if (m->ops->derive != NULL)
            iu = right_answer(c, m, &keys);
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

static void in_order(struct crypto *c, const struct opened *o)
{
    static const uint8_t refused[] = {0x63, 0x00};
    const struct apdu plain = {.cla = 0x80, .ins = 0xF2};
    uint8_t memory[EXTERNAL_AUTHENTICATE_MAX];
    struct writer w;
    bool proven;
    uint16_t sw = 0x1234;
    struct channel *ch = open_new(c, o);
    size_t authenticate = 5 + 2u * o->method->tag_len;
    wr_fixed(&w, memory, sizeof(memory));
    if (!o->method->authenticates) {
        assert_int_equal(channel_external_authenticate(ch, c, &w), ERR_STATE);
        assert_int_equal(wrap_bytes(ch, c, &plain, &w), OK);
        channel_free(&ch);
        return;
    }
    assert_int_equal(wrap_bytes(ch, c, &plain, &w), ERR_STATE);
    assert_int_equal(unwrap(ch, c, VIEW_OF(sw_ok), &w, &sw, &proven), ERR_STATE);
    assert_int_equal(sw, 0x1234);
    assert_int_equal(channel_external_authenticate(ch, c, &w), OK);
    assert_int_equal(w.len, authenticate);
    assert_int_equal(channel_external_authenticate(ch, c, &w), ERR_STATE);
    assert_int_equal(w.len, authenticate);
    assert_int_equal(wrap_bytes(ch, c, &plain, &w), OK); /* one script: answers come later */
    assert_int_equal(unwrap(ch, c, view_of(sw_ok, 1), &w, &sw, &proven), ERR_FORMAT);
    assert_int_equal(unwrap(ch, c, VIEW_OF(refused), &w, &sw, &proven), OK);
    assert_int_equal(sw, 0x6300);
    assert_int_equal(wrap_bytes(ch, c, &plain, &w), ERR_STATE);
    assert_int_equal(unwrap(ch, c, VIEW_OF(sw_ok), &w, &sw, &proven), ERR_STATE);
    channel_free(&ch);
}

static void order_of_things(void **state)
{
    for_all(*state, in_order);
}

/* Nothing of a sequence is wrapped when one of it cannot be, or when the storage is too small. */
static void whole_or_not(struct crypto *c, const struct opened *o)
{
    static const uint8_t data[248];
    struct channel *ch = open_ready(c, o);
    struct channel before = *ch;
    struct apdu plain[3] = {{.cla = 0x80}, {.cla = 0x80, .data = VIEW_OF(data)}, {.cla = 0x80}}, wrapped[3];
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

static void all_or_nothing(void **state)
{
    for_all(*state, whole_or_not);
}

/* The logical channel is not MACed (Amendment D 6.2.4; GPCS 2.3.1 E.4.4; 2.2.1 D.3.3). */
static void same_on_each_channel(struct crypto *c, const struct opened *o)
{
    static const struct {
        uint8_t plain, wire, same_as;
    } rows[] = {{0x80, 0x84, 0x80}, {0x83, 0x87, 0x80}, {0x00, 0x04, 0x00}, {0x01, 0x05, 0x00},
                {0xC0, 0xE0, 0x80}, {0xCF, 0xEF, 0x80}, {0x40, 0x60, 0x00}, {0x90, 0x94, 0x90}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct channel *a = open_ready(c, o), *b = NULL;
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

static void class_bytes(void **state)
{
    for_all(*state, same_on_each_channel);
}

/* At each step of a dialogue the channel goes through bytes and through a copy; both go on as the first. */
static void state_goes_on(struct crypto *c, const struct opened *o)
{
    static const uint8_t data[40] = {1, 2, 3};
    struct channel *ch[3] = {open_new(c, o), NULL, NULL};
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
            bool first = step == 0 && o->method->authenticates;
            if (first)
                assert_int_equal(channel_external_authenticate(ch[i], c, &wire[i]), OK);
            else
                assert_int_equal(wrap_bytes(ch[i], c, &a, &wire[i]), OK);
            if (first)
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
    for_all(*state, state_goes_on);
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
    struct opened o = one(SCP03, 0x70, 0x03);
    struct channel *ch = open_ready(c, &o), *out = NULL;
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
static void wrong_key_lengths(struct crypto *c, const struct opened *o)
{
    struct channel *ch = open_ready(c, o), *out = NULL;
    struct secret *keys[] = {&ch->enc, &ch->mac, &ch->rmac, &ch->dek};
    for (size_t n = 0; n < COUNT(keys); n++) {
        uint8_t memory[CHANNEL_STATE_MAX];
        struct writer w;
        size_t len = keys[n]->len;
        wr_fixed(&w, memory, sizeof(memory));
        keys[n]->len = len == 24 ? 16 : 24;
        assert_int_equal(channel_encode(ch, &w), OK);
        if (channel_decode(&out, wr_view_of(&w)) != ERR_FORMAT)
            fail_msg("%s, key %zu", o->name, n);
        keys[n]->len = len;
    }
    channel_free(&ch);
}

static void key_lengths_in_states(void **state)
{
    for_all(*state, wrong_key_lengths);
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
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(class_bytes),
        cmocka_unit_test(state_as_bytes),
        cmocka_unit_test(bad_states),
        cmocka_unit_test(key_lengths_in_states),
        cmocka_unit_test(sensitive_data),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
