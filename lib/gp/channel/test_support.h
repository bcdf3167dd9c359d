/* SPDX-License-Identifier: Apache-2.0
 *
 * Open channels for tests: every row of the table, at each of its levels, with each length of keys, so that a
 * new row is tested where it stands. Rows whose keys are key pairs are not opened here. */
#ifndef GP_CHANNEL_TEST_SUPPORT_H
#define GP_CHANNEL_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "channel_internal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t host_bytes[HOST_CHALLENGE_MAX] = {0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8};
static const uint8_t sw_ok[] = {0x90, 0x00};
static const uint8_t test_aid[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};

/* One row at one level with keys of one length. */
struct opened {
    const struct channel_method *method;
    uint8_t level;
    enum key_type type;
    size_t key_len;
    char name[64];
};

typedef void opened_test(struct crypto *c, const struct opened *o);

static inline bool has_base_key(const struct channel_method *m)
{
    return m->scp == SCP02 && (m->i & 0x01) == 0;
}

static inline bool has_card_keys(const struct channel_method *m)
{
    return m->ops->lengths_ok != NULL;
}

static inline struct view host_challenge(const struct channel_method *m)
{
    return view_of(host_bytes, m->host_challenge_len);
}

/* Three keys, or one base key three times. */
static inline struct card_keys test_keys(const struct channel_method *m, size_t len)
{
    static const uint8_t bytes[3 * 32] = {1, 2, 3, 4, 5, [10] = 77, [40] = 6, 7, 8, [70] = 9};
    struct card_keys k = {.type = len == DES_BLOCK ? KEY_DES : m->key_type};
    size_t step = has_base_key(m) ? 0 : 32;
    assert_int_equal(secret_set(&k.enc, view_of(bytes, len)), OK);
    assert_int_equal(secret_set(&k.mac, view_of(bytes + step, len)), OK);
    assert_int_equal(secret_set(&k.dek, view_of(bytes + 2 * step, len)), OK);
    return k;
}

/* An answer to INITIALIZE UPDATE whose cryptogram is right for these keys. */
static inline struct init_update right_answer(struct crypto *c, const struct channel_method *m,
                                              const struct card_keys *keys)
{
    struct channel ch = {.method = m, .tag_len = m->tag_len};
    struct init_update iu = {
        .kvn = 1, .scp = m->scp, .i = m->scp == SCP03 ? m->i : -1, .cryptogram_len = m->tag_len};
    iu.challenge_len = m->scp == SCP02 ? 6 : m->tag_len;
    iu.has_sequence = m->scp == SCP02 || (m->scp == SCP03 && (m->i & 0x10) != 0);
    iu.sequence = 7;
    memset(iu.challenge, 0x5A, iu.challenge_len);
    assert_int_equal(m->ops->derive(&ch, c, keys, host_challenge(m), &iu, iu.cryptogram), OK);
    return iu;
}

static inline enum err no_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0xA5, len);
    return OK;
}

/* Without EXTERNAL AUTHENTICATE: the card says its counter, and the channel is open. */
static inline struct channel *open_implicitly(struct crypto *c, const struct opened *o)
{
    static const uint8_t counter[] = {0xC1, 0x02, 0x00, 0x07};
    const struct channel_request request = {.method = o->method, .level = o->level, .aid = VIEW_OF(test_aid)};
    const struct rapdu answer = {VIEW_OF(counter), SW_OK};
    struct card_keys card = test_keys(o->method, o->key_len);
    const struct channel_keys keys = {.card = &card};
    struct channel_opening opening;
    struct channel *ch = NULL;
    assert_int_equal(channel_begin(&opening, c, (struct random_source){no_random, NULL}, &request, &keys),
                     OK);
    assert_int_equal(channel_accept(&ch, c, &opening, &keys, &answer, 1), OK);
    channel_opening_finish(&opening);
    return ch;
}

/* Before its first command. */
static inline struct channel *open_new(struct crypto *c, const struct opened *o)
{
    const struct channel_method *m = o->method;
    struct channel *ch = NULL;
    if (!m->authenticates)
        return open_implicitly(c, o);
    struct card_keys keys = test_keys(m, o->key_len);
    struct init_update iu = right_answer(c, m, &keys);
    assert_int_equal(channel_open(&ch, c, m, &keys, host_challenge(m), &iu, o->level), OK);
    return ch;
}

/* Ready for commands. */
static inline struct channel *open_ready(struct crypto *c, const struct opened *o)
{
    struct channel *ch = open_new(c, o);
    uint8_t memory[EXTERNAL_AUTHENTICATE_MAX];
    struct writer w;
    uint16_t sw;
    bool proven = true;
    if (!o->method->authenticates)
        return ch;
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(channel_external_authenticate(ch, c, &w), OK);
    wr_clear(&w);
    assert_int_equal(channel_unwrap(ch, c, VIEW_OF(sw_ok), &w, &sw, &proven), OK);
    assert_false(proven);
    return ch;
}

static inline void with_keys(struct crypto *c, const struct channel_method *m, uint8_t level,
                             opened_test *test)
{
    static const size_t lens[] = {8, 16, 24, 32};
    for (size_t n = 0; n < COUNT(lens); n++) {
        struct opened o = {m, level, lens[n] == DES_BLOCK ? KEY_DES : m->key_type, lens[n], ""};
        if (!channel_keys_fit(m, o.type, o.key_len))
            continue;
        snprintf(o.name, sizeof(o.name), "%s i=%02X level %02X, keys of %zu bytes", m->name, m->i, level,
                 o.key_len);
        test(c, &o);
    }
}

/* Every row, level and length of keys. */
static inline void for_all(struct crypto *c, opened_test *test)
{
    size_t count;
    const struct channel_method *m = channel_methods(&count);
    for (size_t n = 0; n < count; n++, m++) {
        for (const uint8_t *level = m->levels; *level != 0 && has_card_keys(m); level++)
            with_keys(c, m, *level, test);
    }
}

/* One of them, with keys of 16 bytes. */
static inline struct opened one(uint8_t scp, uint8_t i, uint8_t level)
{
    struct opened o = {channel_method(scp, i), level, KEY_TYPE_COUNT, 16, ""};
    assert_non_null(o.method);
    o.type = o.method->key_type;
    snprintf(o.name, sizeof(o.name), "%s i=%02X level %02X", o.method->name, i, level);
    return o;
}

static inline enum err unwrap(struct channel *ch, struct crypto *c, struct view answer, struct writer *out,
                              uint16_t *sw, bool *proven)
{
    wr_clear(out);
    return channel_unwrap(ch, c, answer, out, sw, proven);
}

/* Appends the whole wrapped command; a channel that refuses leaves nothing in its storage. */
static inline enum err wrap_bytes(struct channel *ch, struct crypto *c, const struct apdu *plain,
                                  struct writer *out)
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

#endif
