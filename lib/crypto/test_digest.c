/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests, HMAC and HKDF against the openssl command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <crypto/crypto.h>
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

/* The plain bytes as one part, then as two, cut everywhere. */
static enum err digest_of(struct crypto *c, const json_t *row, uint8_t out[DIGEST_MAX])
{
    enum digest d = (enum digest)vector_int(row, "digest");
    struct view v = vector_bytes(row, "plain");
    uint8_t again[DIGEST_MAX];
    enum err e = crypto_digest(c, d, &v, 1, out);
    for (size_t cut = 0; cut <= v.len && e == OK; cut++) {
        const struct view parts[] = {view_head(v, cut), view_tail(v, cut)};
        e = crypto_digest(c, d, parts, 2, again);
        assert_memory_equal(out, again, crypto_digest_len(d));
    }
    return e;
}

static void gives_the_known_bytes(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/crypto.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        uint8_t out[255];
        struct view want = vector_bytes(row, "out"), key = vector_bytes(row, "key");
        enum err e;
        if (vector_is(row, "digest"))
            e = digest_of(*state, row, out);
        else if (vector_is(row, "hmac"))
            e = crypto_hmac(*state, key, vector_bytes(row, "plain"), out);
        else if (vector_is(row, "hkdf"))
            e = crypto_hkdf(*state, key, vector_bytes(row, "salt"), vector_bytes(row, "info"), out, want.len);
        else
            continue;
        if (e != OK || !view_equal(view_of(out, want.len), want))
            fail_msg("%s", vector_text(row, "id"));
        checked++;
    }
    assert_int_equal(checked, 5 + 2 + 3);
}

static void digest_lengths(void **state)
{
    uint8_t out[DIGEST_MAX];
    static const size_t want[DIGEST_COUNT] = {20, 32, 48, 64};
    for (int d = 0; d < DIGEST_COUNT; d++)
        assert_int_equal(crypto_digest_len((enum digest)d), want[d]);
    assert_int_equal(crypto_digest_len(DIGEST_COUNT), 0);
    assert_int_equal(crypto_digest(*state, DIGEST_COUNT, NULL, 0, out), ERR_ARGUMENT);
}

/* An empty key is a key of zeros, not the key of the call before. */
static void an_empty_key_is_a_key(void **state)
{
    static const uint8_t zero[64], other[32] = {1};
    uint8_t empty[32], zeros[32];
    struct view in = view_str("Hi There");
    assert_int_equal(crypto_hmac(*state, VIEW_OF(other), in, empty), OK);
    assert_int_equal(crypto_hmac(*state, VIEW_NULL, in, empty), OK);
    assert_int_equal(crypto_hmac(*state, VIEW_OF(zero), in, zeros), OK);
    assert_memory_equal(empty, zeros, 32);
}

static void hkdf_ends_at_255_blocks(void **state)
{
    static uint8_t out[255 * 32 + 1], shorter[255 * 32];
    struct view secret = view_str("secret");
    assert_int_equal(crypto_hkdf(*state, secret, VIEW_NULL, VIEW_NULL, out, 255 * 32 + 1), ERR_ARGUMENT);
    assert_int_equal(crypto_hkdf(*state, secret, VIEW_NULL, VIEW_NULL, out, 255 * 32), OK);
    assert_int_equal(crypto_hkdf(*state, secret, VIEW_NULL, VIEW_NULL, shorter, 33), OK);
    assert_memory_equal(out, shorter, 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_known_bytes),
        cmocka_unit_test(digest_lengths),
        cmocka_unit_test(an_empty_key_is_a_key),
        cmocka_unit_test(hkdf_ends_at_255_blocks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
