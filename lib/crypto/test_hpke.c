/* SPDX-License-Identifier: Apache-2.0
 *
 * HPKE: known answers with a given ephemeral key through both directions, a message of another
 * implementation, every byte flipped, and public keys of low order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "crypto_internal.h"
#include <support/vectors.h>

enum { OUT_MAX = 256 };

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

/* A source that gives the bytes of a view, once. */
static enum err fill_from_view(void *ctx, uint8_t *out, size_t len)
{
    const struct view *v = ctx;
    if (v->len != len)
        return ERR_IO;
    memcpy(out, v->data, len);
    return OK;
}

static void check_vector(struct crypto *c, const json_t *row)
{
    const struct hpke_aead *aead = vector_int(row, "aead") == 1 ? &hpke_aes128 : &hpke_aes256;
    struct view ephemeral = vector_bytes(row, "skE"), sk = vector_bytes(row, "skR"),
                pk = vector_bytes(row, "pkR");
    struct view info = vector_bytes(row, "info"), aad = vector_bytes(row, "aad");
    struct view plain = vector_bytes(row, "plain"), cipher = vector_bytes(row, "cipher");
    const char *id = vector_text(row, "id");
    uint8_t public_key[HPKE_KEY], memory[OUT_MAX];
    struct writer w;

    assert_int_equal(hpke_public(sk.data, public_key), OK);
    if (!view_equal(VIEW_OF(public_key), pk))
        fail_msg("%s: public key", id);
    wr_fixed(&w, memory, sizeof(memory));
    if (hpke_open_with(c, aead, sk.data, info, aad, cipher, &w) != OK || !view_equal(wr_view_of(&w), plain))
        fail_msg("%s: open", id);
    if (ephemeral.len == 0)
        return;
    wr_fixed(&w, memory, sizeof(memory));
    struct random_source random = {fill_from_view, &ephemeral};
    if (hpke_seal_with(c, aead, random, pk.data, info, aad, plain, &w) != OK ||
        !view_equal(wr_view_of(&w), cipher))
        fail_msg("%s: seal", id);
}

static void gives_the_known_bytes(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/crypto.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        if (!vector_is(row, "hpke"))
            continue;
        check_vector(*state, row);
        checked++;
    }
    assert_int_equal(checked, 3);
}

struct message {
    uint8_t private_key[HPKE_KEY], info[4], aad[4], sealed[16 + HPKE_OVERHEAD];
};

static void make_message(struct crypto *c, struct message *m)
{
    uint8_t public_key[HPKE_KEY];
    struct writer w;
    memset(m, 0x5A, sizeof(*m));
    assert_int_equal(hpke_public(m->private_key, public_key), OK);
    wr_fixed(&w, m->sealed, sizeof(m->sealed));
    assert_int_equal(hpke_seal(c, crypto_random(), public_key, VIEW_OF(m->info), VIEW_OF(m->aad),
                               view_str("sixteen is a key"), &w),
                     OK);
    assert_int_equal(w.len, sizeof(m->sealed));
}

static enum err open_message(struct crypto *c, const struct message *m, struct writer *w)
{
    return hpke_open(c, m->private_key, VIEW_OF(m->info), VIEW_OF(m->aad), VIEW_OF(m->sealed), w);
}

static void every_flipped_byte_is_noticed(void **state)
{
    struct message m;
    uint8_t memory[OUT_MAX];
    struct writer w;
    make_message(*state, &m);
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(open_message(*state, &m, &w), OK);
    assert_true(view_equal(wr_view_of(&w), view_str("sixteen is a key")));
    for (size_t i = 0; i < sizeof(m); i++) {
        ((uint8_t *)&m)[i] ^= 0x10;
        wr_fixed(&w, memory, sizeof(memory));
        if (open_message(*state, &m, &w) != ERR_AUTH || w.len != 0)
            fail_msg("byte %zu", i);
        ((uint8_t *)&m)[i] ^= 0x10;
    }
}

/* The same text twice: another ephemeral key, other bytes. */
static void every_message_is_sealed_anew(void **state)
{
    struct message a, b;
    make_message(*state, &a);
    make_message(*state, &b);
    assert_memory_not_equal(a.sealed, b.sealed, HPKE_KEY);
    assert_memory_not_equal(a.sealed + HPKE_KEY, b.sealed + HPKE_KEY, 16);
}

static void low_order_keys_are_refused(void **state)
{
    /* RFC 7748 section 7: the points of small order that a sender could use to make the secret known. */
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "E0EB7A7C3B41B8AE1656E3FAF19FC46ADA098DEB9C32B1FD866205165F49B800",
        "5F9C95BCA3508C24B1D0B1559C83EF5B04445CC4581C8E86D8224EDDD09F1157",
        "ECFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F",
    };
    struct message m;
    uint8_t memory[OUT_MAX];
    struct writer w;
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        struct view point = vector_hex(points[i]);
        wr_fixed(&w, memory, sizeof(memory));
        if (hpke_seal(*state, crypto_random(), point.data, VIEW_NULL, VIEW_NULL, VIEW_NULL, &w) !=
                ERR_ARGUMENT ||
            w.len != 0)
            fail_msg("seal to %s", points[i]);
        make_message(*state, &m);
        memcpy(m.sealed, point.data, HPKE_KEY);
        if (open_message(*state, &m, &w) != ERR_AUTH || w.len != 0)
            fail_msg("open from %s", points[i]);
    }
}

static void refuses_what_is_too_short_or_does_not_fit(void **state)
{
    struct message m;
    uint8_t memory[OUT_MAX], public_key[HPKE_KEY];
    struct writer w;
    make_message(*state, &m);
    for (size_t len = 0; len < sizeof(m.sealed); len++) {
        wr_fixed(&w, memory, sizeof(memory));
        enum err e =
            hpke_open(*state, m.private_key, VIEW_OF(m.info), VIEW_OF(m.aad), view_of(m.sealed, len), &w);
        if (e != (len < HPKE_OVERHEAD ? ERR_FORMAT : ERR_AUTH) || w.len != 0)
            fail_msg("%zu bytes", len);
    }
    wr_fixed(&w, memory, 15);
    assert_int_equal(open_message(*state, &m, &w), ERR_LIMIT);
    assert_int_equal(hpke_public(m.private_key, public_key), OK);
    wr_fixed(&w, memory, HPKE_OVERHEAD);
    assert_int_equal(hpke_seal(*state, crypto_random(), public_key, VIEW_NULL, VIEW_NULL, view_str("x"), &w),
                     ERR_LIMIT);
    assert_int_equal(w.len, 0);
}

static void no_randomness_no_message(void **state)
{
    struct view nothing = VIEW_NULL;
    struct random_source dry = {fill_from_view, &nothing};
    uint8_t public_key[HPKE_KEY] = {9}, memory[OUT_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(hpke_seal(*state, dry, public_key, VIEW_NULL, VIEW_NULL, VIEW_NULL, &w), ERR_IO);
    assert_int_equal(w.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_known_bytes),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(every_message_is_sealed_anew),
        cmocka_unit_test(low_order_keys_are_refused),
        cmocka_unit_test(refuses_what_is_too_short_or_does_not_fit),
        cmocka_unit_test(no_randomness_no_message),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
