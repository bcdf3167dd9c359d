/* SPDX-License-Identifier: Apache-2.0
 *
 * Wrapping of every row and level against the protocols command by command, written straight from GPCS 2.2.1
 * D.3, GPCS 2.3.1 E.4 and Amendment D 6.2 on single blocks: data of every length, and random sequences in
 * batches. */
#include "test_support.h"

#include <stdlib.h>

enum { COMMANDS_MAX = 513, BATCH_MAX = 160, DATA_MAX = 70000, OUT_MAX = 1 << 22 };

/* What the protocol knows of a channel. */
struct plain_form {
    struct crypto *c;
    const struct channel_method *method;
    struct secret enc, mac;
    uint8_t chain[AES_BLOCK];
    uint32_t counter;
    bool encrypt;
};

static uint32_t seed;
static uint8_t random_data[DATA_MAX];

static int setup(void **state)
{
    return crypto_new((struct crypto **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    crypto_free((struct crypto **)state);
    return 0;
}

/* xorshift: the same sequences in each run. */
static uint32_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

static void random_bytes(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)next_random();
}

static void xor_into(uint8_t *out, const uint8_t *with, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] ^= with[i];
}

/* ---- blocks ---- */

static void triple_des(struct plain_form *s, const struct secret *key, uint8_t block[DES_BLOCK])
{
    assert_int_equal(crypto_des3_ecb_encrypt(s->c, secret_view(key), view_of(block, DES_BLOCK), block), OK);
}

static void single_des(struct plain_form *s, const struct secret *key, uint8_t block[DES_BLOCK])
{
    assert_int_equal(crypto_des_ecb_encrypt(s->c, view_head(secret_view(key), DES_BLOCK),
                                            view_of(block, DES_BLOCK), block),
                     OK);
}

static void aes(struct plain_form *s, const struct secret *key, uint8_t block[AES_BLOCK])
{
    assert_int_equal(crypto_aes_ecb_encrypt(s->c, secret_view(key), view_of(block, AES_BLOCK), block), OK);
}

static void cbc(struct plain_form *s, void (*cipher)(struct plain_form *, const struct secret *, uint8_t *),
                const uint8_t *iv, struct writer *w, size_t block)
{
    for (size_t at = 0; at < w->len; at += block) {
        xor_into(w->data + at, at == 0 ? iv : w->data + at - block, block);
        cipher(s, &s->enc, w->data + at);
    }
}

/* ---- the protocols ---- */

/* SCP02 E.4.4, SCP01 D.3.3. */
static void des_c_mac(struct plain_form *s, const struct writer *message)
{
    bool scp02 = s->method->scp == SCP02, first = s->counter == 1 && !s->method->authenticates;
    if ((s->method->i & 0x10) != 0 && !first)
        (scp02 ? single_des : triple_des)(s, &s->mac, s->chain);
    for (size_t at = 0; at < message->len; at += DES_BLOCK) {
        bool last = at + DES_BLOCK == message->len;
        xor_into(s->chain, message->data + at, DES_BLOCK);
        (scp02 && !last ? single_des : triple_des)(s, &s->mac, s->chain);
    }
}

static void put_head(const struct plain_form *s, const struct apdu *a, size_t lc, bool modified,
                     struct writer *w)
{
    (void)s;
    wr_u8(w, modified ? a->cla | 0x04 : a->cla);
    wr_u8(w, a->ins);
    wr_u8(w, a->p1);
    wr_u8(w, a->p2);
    if (apdu_is_extended(a))
        wr_u24(w, (uint32_t)lc);
    else
        wr_u8(w, (uint8_t)lc);
}

static void des_field(struct plain_form *s, const struct apdu *a, struct writer *field)
{
    struct writer message;
    bool unmodified = s->method->scp == SCP02 && (s->method->i & 0x02) != 0;
    wr_heap(&message, OUT_MAX);
    put_head(s, a, a->data.len + (unmodified ? 0 : 8), !unmodified, &message);
    wr_view(&message, a->data);
    channel_pad(&message, DES_BLOCK);
    des_c_mac(s, &message);
    wr_free(&message);
    bool encrypt = s->encrypt && a->data.len > 0, scp01 = s->method->scp == SCP01;
    if (encrypt && scp01)
        wr_u8(field, (uint8_t)a->data.len);
    wr_view(field, a->data);
    if (encrypt && (!scp01 || field->len % DES_BLOCK != 0))
        channel_pad(field, DES_BLOCK);
    if (encrypt)
        cbc(s, triple_des, (const uint8_t[DES_BLOCK]){0}, field, DES_BLOCK);
    wr_bytes(field, s->chain, 8);
}

/* Amendment D 6.2.4, 6.2.6. */
static void aes_field(struct plain_form *s, const struct apdu *a, struct writer *field)
{
    uint8_t icv[AES_BLOCK] = {0}, memory[8];
    struct writer header;
    wr_view(field, a->data);
    if (s->encrypt && a->data.len > 0) {
        channel_pad(field, AES_BLOCK);
        for (int i = 0; i < 4; i++)
            icv[15 - i] = (uint8_t)(s->counter >> (8 * i));
        aes(s, &s->enc, icv);
        cbc(s, aes, icv, field, AES_BLOCK);
    }
    wr_fixed(&header, memory, sizeof(memory));
    put_head(s, a, field->len + s->method->tag_len, true, &header);
    const struct view parts[] = {VIEW_OF(s->chain), wr_view_of(&header), wr_view_of(field)};
    assert_int_equal(crypto_cmac(s->c, secret_view(&s->mac), parts, 3, s->chain), OK);
    wr_bytes(field, s->chain, s->method->tag_len);
}

/* Appends the whole wrapped command. */
static void wrap_plainly(struct plain_form *s, const struct apdu *a, struct writer *out)
{
    struct writer field;
    struct apdu wrapped = *a;
    wr_heap(&field, OUT_MAX);
    s->counter++;
    (s->method->scp == SCP03 ? aes_field : des_field)(s, a, &field);
    wrapped.cla |= 0x04;
    wrapped.data = wr_view_of(&field);
    wrapped.extended = apdu_is_extended(a);
    apdu_put(out, &wrapped);
    wr_free(&field);
}

/* ---- comparing ---- */

static struct plain_form plain_form_of(struct crypto *c, const struct channel *ch)
{
    struct plain_form s = {.c = c,
                           .method = ch->method,
                           .enc = ch->enc,
                           .mac = ch->mac,
                           .counter = ch->counter,
                           .encrypt = (ch->level & LEVEL_C_DECRYPTION) != 0};
    memcpy(s.chain, ch->chain, ch->method->ops->chain_len);
    return s;
}

struct both {
    struct channel *ch;
    struct plain_form simple;
    struct writer storage, got, want;
};

static void both_open(struct both *b, struct crypto *c, const struct opened *o)
{
    *b = (struct both){.ch = open_ready(c, o)};
    b->simple = plain_form_of(c, b->ch);
    wr_heap(&b->storage, OUT_MAX);
    wr_heap(&b->got, OUT_MAX);
    wr_heap(&b->want, OUT_MAX);
}

static void both_close(struct both *b)
{
    wr_free(&b->storage);
    wr_free(&b->got);
    wr_free(&b->want);
    channel_free(&b->ch);
}

static void compare(struct both *b, const struct opened *o, const struct apdu *plain, size_t count)
{
    static struct apdu wrapped[COMMANDS_MAX];
    wr_clear(&b->storage);
    enum err e = channel_wrap(b->ch, b->simple.c, plain, count, wrapped, &b->storage);
    if (e != OK)
        fail_msg("%s: %zu commands, the first of %zu bytes: %s", o->name, count, plain[0].data.len,
                 err_name(e));
    for (size_t i = 0; i < count; i++) {
        wr_clear(&b->got);
        wr_clear(&b->want);
        apdu_put(&b->got, &wrapped[i]);
        wrap_plainly(&b->simple, &plain[i], &b->want);
        assert_true(wr_ok(&b->got) && wr_ok(&b->want));
        if (!view_equal(wr_view_of(&b->got), wr_view_of(&b->want)))
            fail_msg("%s: command %zu of %zu, %zu bytes of data", o->name, i, count, plain[i].data.len);
    }
    assert_memory_equal(b->ch->chain, b->simple.chain, o->method->ops->chain_len);
    assert_int_equal(b->ch->counter, b->simple.counter);
}

static void refuse(struct both *b, const struct opened *o, const struct apdu *plain)
{
    static struct apdu wrapped[1];
    struct channel before = *b->ch;
    wr_clear(&b->storage);
    enum err e = channel_wrap(b->ch, b->simple.c, plain, 1, wrapped, &b->storage);
    if (e != ERR_LIMIT || b->storage.len != 0)
        fail_msg("%s: %zu bytes of data: %s", o->name, plain->data.len, err_name(e));
    assert_memory_equal(b->ch, &before, sizeof(before));
}

/* ---- properties ---- */

/* Every length that fits a short command, and none beyond. */
static void short_lengths(struct crypto *c, const struct opened *o)
{
    struct both b;
    size_t most = channel_block_size(o->method, o->level);
    both_open(&b, c, o);
    for (size_t len = 0; len <= SHORT_DATA_MAX; len++) {
        struct apdu a = {.cla = 0x80, .ins = 0xE8, .p2 = (uint8_t)len, .data = view_of(random_data, len)};
        if (len <= most)
            compare(&b, o, &a, 1);
        else
            refuse(&b, o, &a);
    }
    both_close(&b);
}

static size_t most_extended(const struct opened *o)
{
    size_t block = o->method->key_type == KEY_AES ? AES_BLOCK : DES_BLOCK;
    size_t room = EXTENDED_DATA_MAX - o->method->tag_len;
    return (o->level & LEVEL_C_DECRYPTION) != 0 ? room / block * block - 1 : room;
}

/* Extended commands: some, and those at the end; SCP01 has none. */
static void extended_lengths(struct crypto *c, const struct opened *o)
{
    struct both b;
    size_t most = most_extended(o);
    const size_t lens[] = {0, 1, 255, 256, 4075, 8192, most - 1, most, most + 1};
    both_open(&b, c, o);
    for (size_t n = 0; n < COUNT(lens); n++) {
        struct apdu a = {.cla = 0x80, .ins = 0xE8, .data = view_of(random_data, lens[n]), .extended = true};
        a.ne = n % 2 == 0 ? 65536 : 0;
        if (lens[n] <= most && o->method->scp != SCP01)
            compare(&b, o, &a, 1);
        else
            refuse(&b, o, &a);
    }
    both_close(&b);
}

/* Data of most lengths at and around the borders of blocks, pieces and forms of the command. */
static size_t random_length(const struct opened *o, bool extended)
{
    static const size_t longer[] = {256, 257, 4075, 4096, 5000, 8192, 20000};
    if (extended && next_random() % 3 == 0)
        return longer[next_random() % COUNT(longer)];
    return next_random() % 5 == 0 ? 0 : next_random() % (channel_block_size(o->method, o->level) + 1);
}

static size_t random_sequence(const struct opened *o, struct apdu plain[COMMANDS_MAX])
{
    size_t count = 1 + next_random() % BATCH_MAX;
    for (size_t i = 0; i < count; i++) {
        bool extended = next_random() % 8 == 0 && o->method->scp != SCP01;
        size_t len = random_length(o, extended);
        plain[i] = (struct apdu){.cla = (next_random() & 1) != 0 ? 0x80 : 0x00,
                                 .ins = (uint8_t)next_random(),
                                 .p1 = (uint8_t)next_random(),
                                 .p2 = (uint8_t)next_random(),
                                 .data = view_of(random_data + next_random() % (DATA_MAX - len), len),
                                 .ne = (next_random() & 1) != 0 ? 256 : 0,
                                 .extended = extended};
    }
    return count;
}

/* A sequence in calls of any size. */
static void batches(struct crypto *c, const struct opened *o)
{
    static struct apdu plain[COMMANDS_MAX];
    struct both b;
    both_open(&b, c, o);
    if (o->method->authenticates && next_random() % 3 == 0)
        b.ch->counter = b.simple.counter = 0xFFF0;
    size_t count = random_sequence(o, plain);
    for (size_t done = 0; done < count;) {
        size_t now = 1 + next_random() % (count - done);
        compare(&b, o, plain + done, now);
        done += now;
    }
    both_close(&b);
}

/* ICVs are made, and MACs run, in pieces: more of both in one call. */
static void long_batches(void **state)
{
    static struct apdu plain[COMMANDS_MAX];
    for (uint8_t i = 0x70; i <= 0x71; i++) {
        struct opened o = one(SCP03, i, 0x03);
        struct both b;
        both_open(&b, *state, &o);
        for (size_t n = 0; n < BATCH_MAX; n++)
            plain[n] = (struct apdu){.cla = 0x80, .data = view_of(random_data + n, 200 + n % 24)};
        for (size_t n = 0; n < 3; n++)
            compare(&b, &o, plain, BATCH_MAX);
        both_close(&b);
    }
}

/* The data of many commands is encrypted at a time, in pieces of 256. */
static void long_batches_of_des(void **state)
{
    static struct apdu plain[COMMANDS_MAX];
    static const size_t counts[] = {11, 12, 255, 256, 257, 512, COMMANDS_MAX};
    const struct opened rows[] = {one(SCP01, 0x15, 0x03), one(SCP02, 0x15, 0x03), one(SCP02, 0x15, 0x01)};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct both b;
        both_open(&b, *state, &rows[i]);
        for (size_t n = 0; n < COMMANDS_MAX; n++) /* some without data: nothing to encrypt */
            plain[n] =
                (struct apdu){.cla = 0x80, .data = view_of(random_data + n, n % 37 == 0 ? 0 : n % 230)};
        for (size_t n = 0; n < COUNT(counts); n++)
            compare(&b, &rows[i], plain, counts[n]);
        both_close(&b);
    }
}

static void every_short_length(void **state)
{
    for_all(*state, short_lengths);
}

static void extended_commands(void **state)
{
    for_all(*state, extended_lengths);
}

static void sequences(void **state)
{
    for_all(*state, batches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_length),  cmocka_unit_test(extended_commands),
        cmocka_unit_test(sequences),           cmocka_unit_test(long_batches),
        cmocka_unit_test(long_batches_of_des),
    };
    seed = 20240229;
    random_bytes(random_data, sizeof(random_data));
    return cmocka_run_group_tests(tests, setup, teardown);
}
