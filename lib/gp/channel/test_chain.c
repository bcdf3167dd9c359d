/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP03's chain over a whole sequence against the protocol command by command, written straight from
 * Amendment D 6.2.4 and 6.2.6: random sequences, the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>

#include "channel_internal.h"

enum { COMMANDS_MAX = 200, DATA_MAX = 70000, ROUNDS = 60 };

struct plain_form {
    struct secret enc, mac;
    uint8_t chain[CMAC_LEN];
    uint32_t counter;
    size_t tag_len;
    bool encrypt;
};

static uint32_t seed;

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

/* Data of most lengths at and around the borders of blocks, pieces and forms of the command. */
static size_t random_length(bool extended)
{
    static const size_t longer[] = {256, 257, 4075, 4096, 5000, 8192, 20000, 65503};
    if (extended && next_random() % 3 == 0)
        return longer[next_random() % (sizeof(longer) / sizeof(longer[0]))];
    return next_random() % 5 == 0 ? 0 : next_random() % 224;
}

static struct view protect_field(struct plain_form *s, struct crypto *c, struct view data, struct writer *w)
{
    uint8_t counter[AES_BLOCK] = {0}, icv[AES_BLOCK];
    wr_view(w, data);
    s->counter++;
    if (!s->encrypt || data.len == 0)
        return wr_view_of(w);
    channel_pad(w, AES_BLOCK);
    for (int i = 0; i < 4; i++)
        counter[15 - i] = (uint8_t)(s->counter >> (8 * i));
    assert_int_equal(crypto_aes_ecb_encrypt(c, secret_view(&s->enc), VIEW_OF(counter), icv), OK);
    assert_int_equal(crypto_aes_cbc_encrypt(c, secret_view(&s->enc), icv, wr_view_of(w), w->data), OK);
    return wr_view_of(w);
}

/* Appends the whole wrapped command. */
static void wrap_plainly(struct plain_form *s, struct crypto *c, const struct apdu *a, struct writer *out)
{
    struct writer field, header;
    uint8_t memory[8];
    wr_heap(&field, DATA_MAX);
    wr_fixed(&header, memory, sizeof(memory));
    struct view data = protect_field(s, c, a->data, &field);
    wr_u8(&header, a->cla | 0x04);
    wr_u8(&header, a->ins);
    wr_u8(&header, a->p1);
    wr_u8(&header, a->p2);
    if (apdu_is_extended(a))
        wr_u24(&header, (uint32_t)(data.len + s->tag_len));
    else
        wr_u8(&header, (uint8_t)(data.len + s->tag_len));
    const struct view parts[] = {VIEW_OF(s->chain), wr_view_of(&header), data};
    uint8_t mac[CMAC_LEN];
    assert_int_equal(crypto_cmac(c, secret_view(&s->mac), parts, 3, mac), OK);
    memcpy(s->chain, mac, CMAC_LEN);
    wr_bytes(&field, mac, s->tag_len);
    struct apdu wrapped = *a;
    wrapped.cla |= 0x04;
    wrapped.data = wr_view_of(&field);
    wrapped.extended = apdu_is_extended(a);
    apdu_put(out, &wrapped);
    wr_free(&field);
}

static void random_sequence(struct apdu *plain, size_t count, uint8_t *data)
{
    for (size_t i = 0; i < count; i++) {
        bool extended = next_random() % 8 == 0;
        size_t len = random_length(extended);
        plain[i] = (struct apdu){.cla = (next_random() & 1) != 0 ? 0x80 : 0x00,
                                 .ins = (uint8_t)next_random(),
                                 .p1 = (uint8_t)next_random(),
                                 .p2 = (uint8_t)next_random(),
                                 .data = view_of(data + next_random() % (DATA_MAX - len), len),
                                 .ne = (next_random() & 1) != 0 ? 256 : 0,
                                 .extended = extended};
    }
}

static struct channel *open_channel(uint8_t level, size_t key_len, bool s16)
{
    struct channel *ch = calloc(1, sizeof(*ch));
    assert_non_null(ch);
    ch->method = channel_method(3, s16 ? 0x71 : 0x70);
    ch->tag_len = ch->method->tag_len;
    ch->level = level;
    ch->phase = PHASE_OPEN;
    ch->counter = next_random() % 3 == 0 ? 0xFFF0 : 0;
    struct secret *keys[] = {&ch->enc, &ch->mac, &ch->rmac, &ch->dek};
    for (size_t i = 0; i < 4; i++) {
        random_bytes(keys[i]->data, key_len);
        keys[i]->len = key_len;
    }
    random_bytes(ch->chain, sizeof(ch->chain));
    return ch;
}

/* Wraps the sequence in up to three calls, and each command plainly. */
static void compare(struct crypto *c, struct channel *ch, const struct apdu *plain, size_t count)
{
    static struct apdu wrapped[COMMANDS_MAX];
    struct plain_form simple = {.enc = ch->enc,
                                .mac = ch->mac,
                                .tag_len = ch->tag_len,
                                .counter = ch->counter,
                                .encrypt = (ch->level & 0x02) != 0};
    struct writer storage, got, want;
    memcpy(simple.chain, ch->chain, CMAC_LEN);
    wr_heap(&storage, channel_wrapped_max(plain, count));
    wr_heap(&got, (size_t)16 << 20);
    wr_heap(&want, (size_t)16 << 20);
    for (size_t done = 0; done < count;) {
        size_t now = 1 + next_random() % (count - done);
        wr_clear(&storage);
        assert_int_equal(channel_wrap(ch, c, plain + done, now, wrapped, &storage), OK);
        for (size_t i = 0; i < now; i++) {
            wr_clear(&got);
            wr_clear(&want);
            apdu_put(&got, &wrapped[i]);
            wrap_plainly(&simple, c, &plain[done + i], &want);
            assert_true(wr_ok(&got) && wr_ok(&want));
            if (!view_equal(wr_view_of(&got), wr_view_of(&want)))
                fail_msg("command %zu of %zu, %zu bytes of data", done + i, count, plain[done + i].data.len);
        }
        done += now;
    }
    assert_memory_equal(ch->chain, simple.chain, CMAC_LEN);
    assert_int_equal(ch->counter, simple.counter);
    wr_free(&storage);
    wr_free(&got);
    wr_free(&want);
}

static void the_chain_is_the_protocol(void **state)
{
    static const size_t key_lens[] = {16, 24, 32};
    static struct apdu plain[COMMANDS_MAX];
    static uint8_t data[DATA_MAX];
    (void)state;
    struct crypto *c = NULL;
    assert_int_equal(crypto_new(&c), OK);
    seed = 20240229;
    random_bytes(data, sizeof(data));
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t count = 1 + next_random() % COMMANDS_MAX;
        random_sequence(plain, count, data);
        struct channel *ch = open_channel(round % 2 == 0 ? 0x03 : 0x01, key_lens[round % 3], round % 4 >= 2);
        compare(c, ch, plain, count);
        channel_free(&ch);
    }
    crypto_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_chain_is_the_protocol)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
