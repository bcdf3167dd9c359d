/* SPDX-License-Identifier: Apache-2.0
 *
 * AES-256-GCM: known answers, every byte flipped, and a writer that stays as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <crypto/crypto.h>
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

static void gives_the_known_bytes(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/crypto.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        uint8_t memory[OUT_MAX];
        struct writer w;
        if (!vector_is(row, "gcm"))
            continue;
        struct view key = vector_bytes(row, "key"), nonce = vector_bytes(row, "nonce");
        struct view aad = vector_bytes(row, "aad");
        wr_fixed(&w, memory, sizeof(memory));
        wr_u8(&w, 0xA5); /* it appends */
        if (crypto_gcm_seal(*state, key, nonce.data, aad, vector_bytes(row, "plain"), &w) != OK ||
            !view_equal(view_tail(wr_view_of(&w), 1), vector_bytes(row, "cipher")) || memory[0] != 0xA5)
            fail_msg("%s: seal", vector_text(row, "id"));
        wr_fixed(&w, memory, sizeof(memory));
        wr_u8(&w, 0xA5);
        if (crypto_gcm_open(*state, key, nonce.data, aad, vector_bytes(row, "cipher"), &w) != OK ||
            !view_equal(view_tail(wr_view_of(&w), 1), vector_bytes(row, "plain")) || memory[0] != 0xA5)
            fail_msg("%s: open", vector_text(row, "id"));
        checked++;
    }
    assert_int_equal(checked, 3);
}

struct sealed {
    uint8_t key[32], nonce[GCM_NONCE], aad[5], cipher[20 + GCM_TAG];
};

static void make_sealed(struct crypto *c, struct sealed *s)
{
    struct writer w;
    memset(s, 0x3C, sizeof(*s));
    wr_fixed(&w, s->cipher, sizeof(s->cipher));
    assert_int_equal(
        crypto_gcm_seal(c, VIEW_OF(s->key), s->nonce, VIEW_OF(s->aad), view_str("twenty bytes of text"), &w),
        OK);
    assert_int_equal(w.len, sizeof(s->cipher));
}

static enum err open_sealed(struct crypto *c, const struct sealed *s, struct writer *w)
{
    return crypto_gcm_open(c, VIEW_OF(s->key), s->nonce, VIEW_OF(s->aad), VIEW_OF(s->cipher), w);
}

static void every_flipped_byte_is_noticed(void **state)
{
    struct sealed s;
    uint8_t memory[OUT_MAX], clean[OUT_MAX] = {0};
    struct writer w;
    make_sealed(*state, &s);
    for (size_t i = 0; i < sizeof(s); i++) {
        ((uint8_t *)&s)[i] ^= 0x40;
        memset(memory, 0, sizeof(memory));
        wr_fixed(&w, memory, sizeof(memory));
        if (open_sealed(*state, &s, &w) != ERR_AUTH)
            fail_msg("byte %zu", i);
        assert_int_equal(w.len, 0);
        assert_memory_equal(memory, clean, sizeof(memory)); /* nothing of the plain text stays behind */
        assert_true(wr_ok(&w));
        ((uint8_t *)&s)[i] ^= 0x40;
    }
    assert_int_equal(open_sealed(*state, &s, &w), OK);
    assert_true(view_equal(wr_view_of(&w), view_str("twenty bytes of text")));
}

static void every_cut_is_noticed(void **state)
{
    struct sealed s;
    uint8_t memory[OUT_MAX];
    struct writer w;
    make_sealed(*state, &s);
    for (size_t len = 0; len < sizeof(s.cipher); len++) {
        wr_fixed(&w, memory, sizeof(memory));
        enum err e =
            crypto_gcm_open(*state, VIEW_OF(s.key), s.nonce, VIEW_OF(s.aad), view_of(s.cipher, len), &w);
        if (e != ERR_AUTH || w.len != 0)
            fail_msg("%zu bytes", len);
    }
}

static void takes_keys_of_32_bytes_only(void **state)
{
    static const uint8_t key[40], nonce[GCM_NONCE];
    uint8_t memory[OUT_MAX];
    struct writer w;
    for (size_t len = 0; len <= sizeof(key); len++) {
        wr_fixed(&w, memory, sizeof(memory));
        enum err want = len == 32 ? OK : ERR_ARGUMENT;
        assert_int_equal(crypto_gcm_seal(*state, view_of(key, len), nonce, VIEW_NULL, VIEW_NULL, &w), want);
        if (want != OK)
            assert_int_equal(crypto_gcm_open(*state, view_of(key, len), nonce, VIEW_NULL, VIEW_OF(key), &w),
                             want);
    }
}

static void a_full_writer_gets_nothing(void **state)
{
    struct sealed s;
    uint8_t memory[sizeof(s.cipher) - 1];
    struct writer w;
    make_sealed(*state, &s);
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(crypto_gcm_seal(*state, VIEW_OF(s.key), s.nonce, VIEW_NULL, view_of(s.cipher, 20), &w),
                     ERR_LIMIT);
    wr_fixed(&w, memory, 19);
    assert_int_equal(open_sealed(*state, &s, &w), ERR_LIMIT);
    assert_int_equal(w.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_known_bytes),      cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(every_cut_is_noticed),       cmocka_unit_test(takes_keys_of_32_bytes_only),
        cmocka_unit_test(a_full_writer_gets_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
