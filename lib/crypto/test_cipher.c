/* SPDX-License-Identifier: Apache-2.0
 *
 * Block ciphers against the openssl command line, in every split, in place, with keys that change, and
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <crypto/crypto.h>
#include <support/vectors.h>

enum { OUT_MAX = 128 };

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

static void no_crypto_is_fine(void **state)
{
    (void)state;
    struct crypto *none = NULL;
    crypto_free(&none);
    assert_null(none);
}

/* One shape for all of them; a mode without an IV ignores it. */
typedef enum err (*cipher_fn)(struct crypto *, struct view, const uint8_t *, struct view, uint8_t *);

static enum err aes_ecb_encrypt(struct crypto *c, struct view key, const uint8_t *iv, struct view in,
                                uint8_t *out)
{
    (void)iv;
    return crypto_aes_ecb_encrypt(c, key, in, out);
}

static enum err des3_ecb_encrypt(struct crypto *c, struct view key, const uint8_t *iv, struct view in,
                                 uint8_t *out)
{
    (void)iv;
    return crypto_des3_ecb_encrypt(c, key, in, out);
}

static enum err des3_ecb_decrypt(struct crypto *c, struct view key, const uint8_t *iv, struct view in,
                                 uint8_t *out)
{
    (void)iv;
    return crypto_des3_ecb_decrypt(c, key, in, out);
}

static enum err des_ecb_encrypt(struct crypto *c, struct view key, const uint8_t *iv, struct view in,
                                uint8_t *out)
{
    (void)iv;
    return crypto_des_ecb_encrypt(c, key, in, out);
}

static enum err aes_run(struct crypto *c, struct view key, const uint8_t *iv, struct view in, uint8_t *out)
{
    enum err e = crypto_aes_run_begin(c, key, iv);
    return e == OK ? crypto_aes_run_update(c, in, out) : e;
}

static const struct mode {
    const char *name, *type;
    cipher_fn encrypt, decrypt;
    size_t block;
    size_t key_lens[4]; /* the good ones, ended by 0 */
} modes[] = {
    {"AES-CBC", "aes-cbc", crypto_aes_cbc_encrypt, crypto_aes_cbc_decrypt, AES_BLOCK, {16, 24, 32, 0}},
    {"AES run", "aes-cbc", aes_run, NULL, AES_BLOCK, {16, 24, 32, 0}},
    {"AES-ECB", "aes-ecb", aes_ecb_encrypt, NULL, AES_BLOCK, {16, 24, 32, 0}},
    {"3DES-CBC", "des3-cbc", crypto_des3_cbc_encrypt, crypto_des3_cbc_decrypt, DES_BLOCK, {16, 24, 0}},
    {"3DES-ECB", "des3-ecb", des3_ecb_encrypt, des3_ecb_decrypt, DES_BLOCK, {16, 24, 0}},
    {"DES-ECB", "des-ecb", des_ecb_encrypt, NULL, DES_BLOCK, {8, 0}},
};
enum { MODES = sizeof(modes) / sizeof(modes[0]) };

static void check_vector(struct crypto *c, const struct mode *m, const json_t *row)
{
    struct view key = vector_bytes(row, "key"), iv = vector_bytes(row, "iv");
    struct view plain = vector_bytes(row, "plain"), cipher = vector_bytes(row, "cipher");
    uint8_t out[OUT_MAX];
    const char *id = vector_text(row, "id");
    memcpy(out, plain.data, plain.len); /* in place */
    if (m->encrypt(c, key, iv.data, view_of(out, plain.len), out) != OK ||
        !view_equal(view_of(out, plain.len), cipher))
        fail_msg("%s %s: encryption", m->name, id);
    if (m->decrypt == NULL)
        return;
    if (m->decrypt(c, key, iv.data, view_of(out, cipher.len), out) != OK ||
        !view_equal(view_of(out, cipher.len), plain))
        fail_msg("%s %s: decryption", m->name, id);
}

/* All vectors of all modes twice in turn: what a context keeps from the last call must not matter. */
static void gives_the_known_bytes(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/crypto.json"), *row;
    size_t n, checked = 0;
    for (int round = 0; round < 2; round++) {
        json_array_foreach(rows, n, row)
        {
            for (size_t i = 0; i < MODES; i++) {
                if (!vector_is(row, modes[i].type))
                    continue;
                check_vector(*state, &modes[i], row);
                checked++;
            }
        }
    }
    assert_int_equal(checked, 2 * (3 * 2 + 3 + 1 + 1 + 1));
}

static bool is_good_key(const struct mode *m, size_t len)
{
    for (size_t i = 0; m->key_lens[i] != 0; i++)
        if (m->key_lens[i] == len)
            return true;
    return false;
}

static void refuses_other_key_lengths(void **state)
{
    static const uint8_t key[40], iv[AES_BLOCK];
    uint8_t out[AES_BLOCK];
    for (size_t i = 0; i < MODES; i++) {
        for (size_t len = 0; len <= sizeof(key); len++) {
            enum err want = is_good_key(&modes[i], len) ? OK : ERR_ARGUMENT;
            memset(out, 0xEE, sizeof(out));
            struct view in = view_of(iv, modes[i].block);
            if (modes[i].encrypt(*state, view_of(key, len), iv, in, out) != want)
                fail_msg("%s: a key of %zu bytes", modes[i].name, len);
            if (modes[i].decrypt != NULL && modes[i].decrypt(*state, view_of(key, len), iv, in, out) != want)
                fail_msg("%s: a key of %zu bytes, decryption", modes[i].name, len);
            if (want != OK && out[0] != 0xEE)
                fail_msg("%s: output on failure", modes[i].name);
        }
    }
}

static void refuses_what_is_not_whole_blocks(void **state)
{
    static const uint8_t key[32], iv[AES_BLOCK], in[2 * AES_BLOCK];
    uint8_t out[2 * AES_BLOCK];
    for (size_t i = 0; i < MODES; i++) {
        struct view k = view_of(key, modes[i].key_lens[0]);
        for (size_t len = 0; len <= 2 * modes[i].block; len++) {
            enum err want = len % modes[i].block == 0 ? OK : ERR_ARGUMENT;
            if (modes[i].encrypt(*state, k, iv, view_of(in, len), out) != want ||
                (modes[i].decrypt != NULL && modes[i].decrypt(*state, k, iv, view_of(in, len), out) != want))
                fail_msg("%s: %zu bytes", modes[i].name, len);
        }
    }
}

static void two_keys_are_three_with_the_first_again(void **state)
{
    struct view two = vector_hex("0123456789ABCDEF23456789ABCDEF01");
    struct view three = vector_hex("0123456789ABCDEF23456789ABCDEF010123456789ABCDEF");
    static const uint8_t iv[DES_BLOCK] = {9}, in[3 * DES_BLOCK] = {7};
    uint8_t a[sizeof(in)], b[sizeof(in)];
    assert_int_equal(crypto_des3_cbc_encrypt(*state, two, iv, VIEW_OF(in), a), OK);
    assert_int_equal(crypto_des3_cbc_encrypt(*state, three, iv, VIEW_OF(in), b), OK);
    assert_memory_equal(a, b, sizeof(a));
}

static void a_run_goes_on_where_it_ended(void **state)
{
    static const uint8_t iv[AES_BLOCK] = {3}, other_iv[AES_BLOCK] = {4};
    uint8_t key[16] = {5}, other_key[32] = {6}, in[160], whole[160], pieces[160], other[16];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)i;
    assert_int_equal(crypto_aes_cbc_encrypt(*state, VIEW_OF(key), iv, VIEW_OF(in), whole), OK);
    for (size_t step = AES_BLOCK; step <= sizeof(in); step += AES_BLOCK) {
        assert_int_equal(crypto_aes_run_begin(*state, VIEW_OF(key), iv), OK);
        for (size_t at = 0; at < sizeof(in); at += step) {
            struct view piece = view_head(view_tail(VIEW_OF(in), at), step);
            assert_int_equal(crypto_aes_run_update(*state, piece, pieces + at), OK);
            /* ECB calls and MACs between do not disturb it. */
            assert_int_equal(crypto_aes_ecb_encrypt(*state, VIEW_OF(other_key), VIEW_OF(other_iv), other),
                             OK);
        }
        assert_memory_equal(whole, pieces, sizeof(whole));
    }
}

static void a_run_must_be_begun(void **state)
{
    (void)state;
    struct crypto *fresh;
    uint8_t block[AES_BLOCK] = {0}, key[16] = {0};
    assert_int_equal(crypto_new(&fresh), OK);
    assert_int_equal(crypto_aes_run_update(fresh, VIEW_OF(block), block), ERR_STATE);
    assert_int_equal(crypto_aes_run_begin(fresh, VIEW_OF(key), block), OK);
    assert_int_equal(crypto_aes_run_update(fresh, view_of(block, 15), block), ERR_ARGUMENT);
    crypto_forget(fresh);
    assert_int_equal(crypto_aes_run_update(fresh, VIEW_OF(block), block), ERR_STATE);
    crypto_free(&fresh);
}

static void works_again_after_forgetting(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/crypto.json"), *row;
    size_t n;
    json_array_foreach(rows, n, row) for (size_t i = 0; i < MODES; i++) if (vector_is(row, modes[i].type))
    {
        crypto_forget(*state);
        check_vector(*state, &modes[i], row);
    }
}

static void random_bytes_differ(void **state)
{
    (void)state;
    struct random_source random = crypto_random();
    uint8_t a[32] = {0}, b[32] = {0};
    assert_int_equal(random.fill(random.ctx, a, sizeof(a)), OK);
    assert_int_equal(random.fill(random.ctx, b, sizeof(b)), OK);
    assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crypto_is_fine),
        cmocka_unit_test(gives_the_known_bytes),
        cmocka_unit_test(refuses_other_key_lengths),
        cmocka_unit_test(refuses_what_is_not_whole_blocks),
        cmocka_unit_test(two_keys_are_three_with_the_first_again),
        cmocka_unit_test(a_run_goes_on_where_it_ended),
        cmocka_unit_test(a_run_must_be_begun),
        cmocka_unit_test(works_again_after_forgetting),
        cmocka_unit_test(random_bytes_differ),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
